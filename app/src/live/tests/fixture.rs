//! Values for tests.

use std::ops::RangeInclusive;

use super::super::{Delivery, ListedMessage};
use crate::model::{
    AuthorTag, ClientMessageId, Deletion, LogPage, Message, MessageId, NewMessage, Seq, Timestamp,
    UploadId, Viewer,
};

pub(in crate::live) fn upload_id() -> UploadId {
    UploadId::from_bytes([7; 12])
}

/// The tag of this browser.
pub(in crate::live) fn own_tag() -> AuthorTag {
    "2222222222".parse().unwrap()
}

/// Who reads.
pub(in crate::live) fn me() -> Viewer {
    Viewer {
        author: Some(own_tag()),
        name: Some("Me".parse().unwrap()),
    }
}

pub(in crate::live) fn key(name: &str) -> ClientMessageId {
    name.parse().unwrap()
}

pub(in crate::live) fn stored(new: NewMessage, seq: u64) -> Message {
    Message {
        id: id(&new.client_message_id),
        upload_id: upload_id(),
        seq: Seq::new(seq),
        author_name: new.author_name,
        content: new.content,
        client_message_id: new.client_message_id,
        created_at: Timestamp::from_unix_millis(1_795_521_600_000).unwrap(),
        author: new.author,
        at: new.at,
        pin: None,
    }
}

/// The id of the message with this client id, the same in every test.
pub(in crate::live) fn id(key: &ClientMessageId) -> MessageId {
    let mut bytes = [0; 12];
    for (index, byte) in key.as_str().bytes().enumerate() {
        bytes[index % 12] ^= byte.rotate_left(u32::try_from(index / 12).unwrap());
    }
    MessageId::from_bytes(bytes)
}

/// A message of somebody else with this number.
pub(in crate::live) fn message(seq: u64) -> Message {
    let new = NewMessage {
        author_name: "Ada".parse().unwrap(),
        content: format!("text {seq}").parse().unwrap(),
        client_message_id: key(&format!("other-{seq}")),
        at: None,
        author: None,
    };
    stored(new, seq)
}

pub(in crate::live) fn page(seqs: RangeInclusive<u64>, head: u64) -> LogPage {
    LogPage {
        entries: seqs.map(|seq| message(seq).into()).collect(),
        head: Seq::new(head),
    }
}

/// The deletion of a message, with this number itself.
pub(in crate::live) fn deletion(seq: u64, deletes: u64) -> Deletion {
    Deletion {
        id: id(&key(&format!("deletion-{seq}"))),
        upload_id: upload_id(),
        seq: Seq::new(seq),
        deletes: Seq::new(deletes),
        created_at: Timestamp::from_unix_millis(1_795_521_600_000).unwrap(),
    }
}

/// A message of this tab that is not stored yet.
pub(in crate::live) fn unsent(name: &str) -> ListedMessage {
    ListedMessage {
        key: key(name),
        seq: Seq::ZERO,
        author_name: "Me".parse().unwrap(),
        content: format!("text of {name}").parse().unwrap(),
        created_at: Timestamp::from_unix_millis(1_795_521_600_000).unwrap(),
        author: Some(own_tag()),
        at: None,
        pin: None,
        mine: true,
        delivery: Delivery::Sending,
    }
}
