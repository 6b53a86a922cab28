//! Random identifiers: 96 or 128 random bits, or base-62 characters without modulo bias.

use std::fmt;
use std::str::FromStr;

use app::model::{AuthorSecret, ClientMessageId, MessageId, ShortId, UploadId};
use rand::RngExt;
use rand::distr::Alphanumeric;
use thiserror::Error;

use crate::random;

/// Makes an id for a new upload.
pub fn upload_id() -> UploadId {
    UploadId::from_bytes(random::random())
}

/// Makes an id for a new message.
pub fn message_id() -> MessageId {
    MessageId::from_bytes(random::random())
}

/// Makes a short id, which names a new upload in links.
pub fn short_id() -> ShortId {
    alphanumeric(8)
        .parse()
        .expect("8 alphanumeric characters are a short id")
}

/// Makes a client message id for a message that came without one, as from the form for readers without scripts.
pub fn client_message_id() -> ClientMessageId {
    alphanumeric(22)
        .parse()
        .expect("22 alphanumeric characters are a clientMessageID")
}

/// Makes a secret for an upload whose sender brought none.
pub fn author_secret() -> AuthorSecret {
    alphanumeric(43)
        .parse()
        .expect("43 alphanumeric characters are a secret")
}

fn alphanumeric(len: usize) -> String {
    random::rng()
        .sample_iter(Alphanumeric)
        .take(len)
        .map(char::from)
        .collect()
}

/// The id that a store and its blobs share: 128 random bits, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairingId(u128);

impl PairingId {
    /// Makes a new id.
    pub fn random() -> Self {
        Self(random::random())
    }
}

impl fmt::Display for PairingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The text is not a pairing id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a pairing id is 32 hexadecimal digits")]
pub struct InvalidPairingId;

impl FromStr for PairingId {
    type Err = InvalidPairingId;

    /// White space around the digits is ignored, since people write them with an editor.
    fn from_str(text: &str) -> Result<Self, InvalidPairingId> {
        let digits = text.trim();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(digits, 16).ok();
        number
            .filter(|_| digits.len() == 32 && is_hex)
            .map(Self)
            .ok_or(InvalidPairingId)
    }
}
