use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::id::{IdError, UploadId, is_client_name};

/// A browser tab's random name: 1 to 32 letters, digits, `-` or `_`. It is a secret of the tab and its node: others get
/// its [`TabTag`] only, so that nobody can send touches that the tab takes for its own. `Debug` does not show it, and
/// only the command `touch` serializes it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TabId(Arc<str>);

impl TabId {
    /// The tab's tag on this upload, which is sent to its watchers.
    pub fn tag(&self, upload: UploadId) -> TabTag {
        let digest = Sha256::new()
            .chain_update("tonesa-tab\0")
            .chain_update(upload.to_string())
            .chain_update("\0")
            .chain_update(self.0.as_bytes())
            .finalize();
        TabTag::of(&digest.into())
    }

    /// Serializes the secret, for the command `touch`.
    pub(crate) fn serialize_secret<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl FromStr for TabId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_client_name(text, 32) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::Tab)
        }
    }
}

impl TryFrom<String> for TabId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl fmt::Debug for TabId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TabId(…)")
    }
}

const TAG_CHARS: usize = 10;
/// Base 32 of RFC 4648, in lower case.
const BASE_32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// How others identify a tab: the first 10 characters, in base 32 (RFC 4648, lower case), of the SHA-256 of
/// `tonesa-tab`, the upload's 24 hexadecimal digits and the tab's name, with a zero byte between them. It is the same for
/// all touches of a tab on one upload, and reveals neither its name nor its tags on other uploads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TabTag([u8; TAG_CHARS]);

impl TabTag {
    fn of(digest: &[u8; 32]) -> Self {
        let start = digest.first_chunk().copied().unwrap_or_default();
        let mut bits = u64::from_be_bytes(start);
        Self(std::array::from_fn(|_| {
            bits = bits.rotate_left(5);
            BASE_32[(bits & 31) as usize]
        }))
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        // Always ASCII: see `from_str` and `BASE_32`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for TabTag {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let chars: [u8; TAG_CHARS] = text.as_bytes().try_into().map_err(|_| IdError::Tag)?;
        if chars.iter().all(|char| BASE_32.contains(char)) {
            Ok(Self(chars))
        } else {
            Err(IdError::Tag)
        }
    }
}

impl TryFrom<String> for TabTag {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TabTag> for String {
    fn from(tag: TabTag) -> Self {
        tag.as_str().to_owned()
    }
}

impl fmt::Display for TabTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TabTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TabTag({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(text: &str) -> UploadId {
        text.parse().unwrap()
    }

    fn tab(text: &str) -> TabId {
        text.parse().unwrap()
    }

    #[test]
    fn a_tag_is_the_start_of_the_hash_in_base_32() {
        // As `printf '%s\0%s\0%s' tonesa-tab 674312a0b1c2d3e4f5061728 q7 | sha256sum | xxd -r -p | base32` begins.
        let tag = tab("q7").tag(upload("674312a0b1c2d3e4f5061728"));
        assert_eq!(tag.as_str(), "x22zgdklfk");
        assert_eq!(tag.as_str().parse(), Ok(tag));
    }

    #[test]
    fn tags_differ_between_uploads_and_are_no_names() {
        let (here, there) = (upload(&"0".repeat(24)), upload(&"f".repeat(24)));
        let mine = tab("q7");
        assert_ne!(mine.tag(here), mine.tag(there));
        let pretended = tab(mine.tag(here).as_str());
        assert_ne!(pretended.tag(here), mine.tag(here));
    }

    #[test]
    fn a_tag_has_10_characters_of_base_32() {
        for wrong in [
            "",
            "aaaaaaaaa",
            "aaaaaaaaaaa",
            "aaaaaaaaa1",
            "AAAAAAAAAA",
            "aaaaaaaaé",
        ] {
            assert_eq!(wrong.parse::<TabTag>(), Err(IdError::Tag), "{wrong:?}");
        }
    }

    #[test]
    fn a_name_is_checked_and_not_shown() {
        for wrong in ["", "a b", "<b>", "é", &"x".repeat(33)] {
            assert_eq!(wrong.parse::<TabId>(), Err(IdError::Tab), "{wrong:?}");
        }
        assert!(!format!("{:?}", tab(&"x".repeat(32))).contains('x'));
    }
}
