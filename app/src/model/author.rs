use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::id::{IdError, UploadId, is_client_name};
use super::tag::AuthorTag;

/// The secret of an author: 22 to 86 letters, digits, `-` or `_`, enough for 128 to 512 random bits in base 64. Only
/// its [`AuthorTag`] is stored and sent to others. `Debug` does not show it, and nothing serializes it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorSecret(Arc<str>);

impl AuthorSecret {
    /// The author's tag on this upload, which its messages carry.
    pub fn tag(&self, upload: UploadId) -> AuthorTag {
        AuthorTag::derive(upload, &self.0)
    }

    /// The secret as text, for the header `Authorization` and the browser's storage; never for a log line or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for AuthorSecret {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_client_name(text, 22..=86) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::AuthorSecret)
        }
    }
}

impl fmt::Debug for AuthorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TabId;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn secret(text: &str) -> AuthorSecret {
        text.parse().unwrap()
    }

    #[test]
    fn a_tag_is_the_start_of_the_hash_in_base_32() {
        // As `printf '%s\0%s\0%s' tonesa-author 674312a0b1c2d3e4f5061728 $SECRET | sha256sum | xxd -r -p | base32`
        // begins.
        let upload = "674312a0b1c2d3e4f5061728".parse().unwrap();
        assert_eq!(secret(SECRET).tag(upload).as_str(), "ldkulx5sv2");
    }

    #[test]
    fn tags_differ_between_uploads_secrets_and_from_tags_of_tabs() {
        let (here, there) = (
            UploadId::from_bytes([0; 12]),
            UploadId::from_bytes([0xff; 12]),
        );
        let mine = secret(SECRET);
        assert_eq!(mine.tag(here), secret(SECRET).tag(here));
        assert_ne!(mine.tag(here), mine.tag(there));
        assert_ne!(mine.tag(here), secret(&SECRET.replace('0', "1")).tag(here));
        let tab: TabId = SECRET.parse().unwrap();
        assert_ne!(mine.tag(here).as_str(), tab.tag(here).as_str());
    }

    #[test]
    fn a_secret_is_checked_and_not_shown() {
        let long = |length| "x".repeat(length);
        for fine in [&long(22), &long(86), SECRET, "-_-_-_-_-_-_-_-_-_-_-_"] {
            assert_eq!(secret(fine).expose(), fine);
        }
        for wrong in [
            "",
            &long(21),
            &long(87),
            &format!("{} ", long(22)),
            &format!("{}é", long(22)),
        ] {
            assert_eq!(
                wrong.parse::<AuthorSecret>(),
                Err(IdError::AuthorSecret),
                "{wrong:?}"
            );
        }
        assert!(!format!("{:?}", secret(&long(22))).contains('x'));
    }
}
