use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::id::{ClientMessageId, MessageId, UploadId};
use super::point::Point;
use super::tag::AuthorTag;
use super::text::{AuthorName, MessageText};
use super::timestamp::Timestamp;

/// A message's sequence number in its upload's conversation: 1, 2, 3 … without gaps. 0 stands for "none yet", as a head
/// or a cursor before the first message.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(u64);

impl Seq {
    /// Before the first message.
    pub const ZERO: Self = Self(0);

    /// The sequence number `value`.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number before it; 0 for 0.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The next number. It saturates, since cursors come from clients.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message as everyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its own id.
    pub id: MessageId,
    /// The upload it belongs to.
    #[serde(rename = "uploadID")]
    pub upload_id: UploadId,
    /// Its number in the conversation.
    pub seq: Seq,
    /// Who wrote it.
    pub author_name: AuthorName,
    /// What they wrote: plain text.
    pub content: MessageText,
    /// The id that its client gave it.
    #[serde(rename = "clientMessageID")]
    pub client_message_id: ClientMessageId,
    /// When the node accepted it.
    pub created_at: Timestamp,
    /// Which browser wrote it, if that one has brought a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<AuthorTag>,
    /// Its place on the image, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Point>,
    /// The number of its place: 1, 2, 3 … in the order of the messages that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<NonZeroU32>,
}

/// A message to be posted. JSON: `{"authorName","content","clientMessageID"}`, and `"at":{"x","y"}` if it has a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewMessage {
    /// Who writes it.
    pub author_name: AuthorName,
    /// What they write.
    pub content: MessageText,
    /// The id that its client gives it; posting it again returns the same message.
    #[serde(rename = "clientMessageID")]
    pub client_message_id: ClientMessageId,
    /// Its place on the image, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Point>,
    /// Who writes it: the node derives it from the secret that comes in a header, so it is not in the JSON.
    #[serde(skip)]
    pub author: Option<AuthorTag>,
}

/// Up to where somebody has a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The number of the last message; 0 before the first one.
    pub seq: Seq,
    /// The id of that message, by which another history is recognised; `None` if it is not known.
    pub id: Option<MessageId>,
}

impl From<Seq> for Cursor {
    fn from(seq: Seq) -> Self {
        Self { seq, id: None }
    }
}

/// A part of a conversation, and the last sequence number that was stored when it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePage {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// The conversation's last sequence number; 0 when it is empty.
    pub head: Seq,
}
