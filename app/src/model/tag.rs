//! Tags: how others recognise the bearer of a secret on one upload.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::id::{IdError, UploadId};

const TAG_CHARS: usize = 10;
/// Base 32 of RFC 4648, in lower case.
const BASE_32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The first 10 characters, in base 32 (RFC 4648, lower case), of the SHA-256 of a domain, the upload's 24 hexadecimal
/// digits and a secret, with a zero byte between them. It is the same for all uses of a secret on one upload, and
/// reveals neither the secret nor its tags on other uploads or in other domains.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Tag([u8; TAG_CHARS]);

impl Tag {
    /// Derives the tag of a secret on this upload.
    pub fn derive(domain: &str, upload: UploadId, secret: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(domain)
            .chain_update("\0")
            .chain_update(upload.to_string())
            .chain_update("\0")
            .chain_update(secret)
            .finalize();
        let digest: [u8; 32] = digest.into();
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

impl FromStr for Tag {
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

impl TryFrom<String> for Tag {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.as_str().to_owned()
    }
}

/// A type of tags.
macro_rules! tag_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(
            feature = "ssr",
            derive(utoipa::ToSchema),
            schema(value_type = String, pattern = "^[a-z2-7]{10}$")
        )]
        pub struct $name(Tag);

        impl $name {
            /// The tag as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

tag_type!(
    /// How others identify a tab: the tag of its name, in the domain `tonesa-tab`.
    TabTag
);
tag_type!(
    /// How others recognise the messages of one browser on one upload: the tag of its secret, in the domain
    /// `tonesa-author`.
    AuthorTag
);

impl TabTag {
    /// The tag of a tab's name on this upload.
    pub(super) fn derive(upload: UploadId, name: &str) -> Self {
        Self(Tag::derive("tonesa-tab", upload, name))
    }
}

impl AuthorTag {
    /// The tag of an author's secret on this upload.
    pub(super) fn derive(upload: UploadId, secret: &str) -> Self {
        Self(Tag::derive("tonesa-author", upload, secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(wrong.parse::<AuthorTag>(), Err(IdError::Tag), "{wrong:?}");
        }
    }

    #[test]
    fn json_holds_tags_as_checked_strings() {
        let tag: AuthorTag = serde_json::from_str("\"x22zgdklfk\"").unwrap();
        assert_eq!(serde_json::to_string(&tag).unwrap(), "\"x22zgdklfk\"");
        assert!(serde_json::from_str::<AuthorTag>("\"nope\"").is_err());
    }
}
