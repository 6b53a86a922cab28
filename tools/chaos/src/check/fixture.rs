//! Values for the tests of the checks.

use std::num::NonZeroU32;

use app::live::{Delivery, ListedEntry, ListedMessage};
use app::model::{DeletedMessage, Deletion, LogEntry, Message, MessageId, Point, Seq, UploadId};

pub fn upload() -> UploadId {
    UploadId::from_bytes([7; 12])
}

/// The id of the entry with this number.
pub fn id(number: u64) -> MessageId {
    MessageId::from_bytes([u8::try_from(number).unwrap(); 12])
}

/// Messages with these numbers and names of their own; those with even numbers have a place.
pub fn messages(numbers: impl IntoIterator<Item = u64>) -> Vec<Message> {
    let message = |number: u64| Message {
        id: id(number),
        upload_id: upload(),
        seq: Seq::new(number),
        author_name: "Ada".parse().unwrap(),
        content: format!("text {number}").parse().unwrap(),
        client_message_id: format!("m{number}").parse().unwrap(),
        created_at: "2026-11-24T12:00:00Z".parse().unwrap(),
        author: Some("aaaaaaaaaa".parse().unwrap()),
        at: number
            .is_multiple_of(2)
            .then(|| Point::new(0.25, 0.5).unwrap()),
        pin: NonZeroU32::new(u32::try_from(number / 2).unwrap())
            .filter(|_| number.is_multiple_of(2)),
    };
    numbers.into_iter().map(message).collect()
}

/// The messages of [`messages`] as a client lists them.
pub fn entries(numbers: impl IntoIterator<Item = u64>) -> Vec<ListedEntry> {
    let entry = |message: Message| ListedMessage {
        key: message.client_message_id,
        seq: message.seq,
        author_name: message.author_name,
        content: message.content,
        created_at: message.created_at,
        author: message.author,
        at: message.at,
        pin: message.pin,
        mine: false,
        delivery: Delivery::Sent,
    };
    let listed = |message: Message| ListedEntry {
        id: message.id,
        message: Some(entry(message)),
        deletes: None,
    };
    messages(numbers).into_iter().map(listed).collect()
}

/// The log of [`messages`].
pub fn log(numbers: impl IntoIterator<Item = u64>) -> Vec<LogEntry> {
    let messages = messages(numbers).into_iter();
    messages.map(LogEntry::Message).collect()
}

/// The log in which these are messages and the entry after them deletes one of them.
pub fn log_with_deletion(count: u64, deletes: u64) -> Vec<LogEntry> {
    let mut log = log(1..=count);
    let created_at = "2026-11-24T12:00:01Z".parse().unwrap();
    let message = messages([deletes]).remove(0);
    log[usize::try_from(deletes).unwrap() - 1] = LogEntry::DeletedMessage(DeletedMessage {
        id: message.id,
        upload_id: message.upload_id,
        seq: message.seq,
        created_at: message.created_at,
        deleted_at: created_at,
    });
    log.push(LogEntry::Deletion(Deletion {
        id: id(count + 1),
        upload_id: upload(),
        seq: Seq::new(count + 1),
        deletes: Seq::new(deletes),
        created_at,
    }));
    log
}
