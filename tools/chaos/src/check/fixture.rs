//! Values for the tests of the checks.

use std::num::NonZeroU32;

use app::live::{Delivery, Entry, Listed};
use app::model::{Message, MessageId, Point, Seq, UploadId};

pub fn upload() -> UploadId {
    UploadId::from_bytes([7; 12])
}

/// Messages with these numbers and names of their own; those with even numbers have a place.
pub fn messages(numbers: impl IntoIterator<Item = u64>) -> Vec<Message> {
    let message = |number: u64| Message {
        id: MessageId::from_bytes([9; 12]),
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

/// The same as a client lists them.
pub fn entries(numbers: impl IntoIterator<Item = u64>) -> Vec<Listed> {
    let entry = |message: Message| Entry {
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
    let listed = |message: Message| Listed {
        id: message.id,
        message: Some(entry(message)),
        deletes: None,
    };
    messages(numbers).into_iter().map(listed).collect()
}
