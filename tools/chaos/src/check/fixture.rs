//! Values for the tests of the checks.

use app::live::{Delivery, Entry};
use app::model::{Message, MessageId, Seq, UploadId};

pub fn upload() -> UploadId {
    UploadId::from_bytes([7; 12])
}

/// Messages with these numbers and names of their own.
pub fn messages(numbers: impl IntoIterator<Item = u64>) -> Vec<Message> {
    let message = |number: u64| Message {
        id: MessageId::from_bytes([9; 12]),
        upload_id: upload(),
        seq: Seq::new(number),
        author_name: "Ada".parse().unwrap(),
        content: format!("text {number}").parse().unwrap(),
        client_message_id: format!("m{number}").parse().unwrap(),
        created_at: "2026-11-24T12:00:00Z".parse().unwrap(),
    };
    numbers.into_iter().map(message).collect()
}

/// The same as a client lists them.
pub fn entries(numbers: impl IntoIterator<Item = u64>) -> Vec<Entry> {
    let entry = |message: Message| Entry {
        key: message.client_message_id,
        author_name: message.author_name,
        content: message.content,
        created_at: message.created_at,
        mine: false,
        delivery: Delivery::Sent,
    };
    messages(numbers).into_iter().map(entry).collect()
}
