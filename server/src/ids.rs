//! Random identifiers: 96 bits, or 8 characters of base 62 drawn without modulo bias.

use app::model::{ClientMessageId, MessageId, ShortId, UploadId};
use rand::RngExt;
use rand::distr::Alphanumeric;

/// A new upload's id.
pub fn upload_id() -> UploadId {
    UploadId::from_bytes(rand::random())
}

/// A new message's id.
pub fn message_id() -> MessageId {
    MessageId::from_bytes(rand::random())
}

/// A new upload's name in links.
pub fn short_id() -> ShortId {
    alphanumeric(8)
        .parse()
        .expect("8 alphanumeric characters are a short id")
}

/// A name for a message whose client gave it none, as the form for readers without scripts.
pub fn client_message_id() -> ClientMessageId {
    alphanumeric(22)
        .parse()
        .expect("22 alphanumeric characters are a clientMessageID")
}

fn alphanumeric(len: usize) -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(len)
        .map(char::from)
        .collect()
}
