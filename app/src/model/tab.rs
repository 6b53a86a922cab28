use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serializer};

use super::id::{IdError, UploadId, is_client_name};
use super::tag::TabTag;

/// A browser tab's random name: 1 to 32 letters, digits, `-` or `_`. It is a secret of the tab and its node: others get
/// its [`TabTag`] only, so that nobody can send touches that the tab takes for its own. `Debug` does not show it, and
/// only the command `touch` serializes it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[0-9A-Za-z_-]{1,32}$"))]
pub struct TabId(Arc<str>);

impl TabId {
    /// The tab's tag on this upload, which is sent to its watchers.
    pub fn tag(&self, upload: UploadId) -> TabTag {
        TabTag::derive(upload, &self.0)
    }

    /// Serializes the secret, for the command `touch`.
    pub(crate) fn serialize_secret<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl FromStr for TabId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_client_name(text, 1..=32) {
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
    fn a_name_is_checked_and_not_shown() {
        for wrong in ["", "a b", "<b>", "é", &"x".repeat(33)] {
            assert_eq!(wrong.parse::<TabId>(), Err(IdError::Tab), "{wrong:?}");
        }
        assert!(!format!("{:?}", tab(&"x".repeat(32))).contains('x'));
    }
}
