//! The log of a conversation: everything that changes it is an entry, so that what holds for messages (their order,
//! gaps, resuming) holds for deletions too.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::id::{ClientMessageId, MessageId, UploadId};
use super::message::{DeletedMessage, Message};
use super::point::Point;
use super::seq::Seq;
use super::tag::AuthorTag;
use super::text::{AuthorName, MessageText};
use super::timestamp::Timestamp;

/// An entry of a log. JSON: the fields of its type, and `"kind"`, which is `message` or `deletion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", tag = "kind", rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum LogEntry {
    /// A message.
    Message(Message),
    /// What is left of a message that was deleted.
    #[serde(rename(serialize = "message"))]
    #[cfg_attr(feature = "ssr", schema(rename = "message"))]
    DeletedMessage(DeletedMessage),
    /// The deletion of a message.
    Deletion(Deletion),
}

/// The deletion of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Deletion {
    /// Its own id.
    pub id: MessageId,
    /// The upload it belongs to.
    #[serde(rename = "uploadID")]
    pub upload_id: UploadId,
    /// Its number in the log.
    pub seq: Seq,
    /// The number of the message that was deleted.
    pub deletes: Seq,
    /// When that was.
    pub created_at: Timestamp,
}

/// The fields of all entries. What serde derives for an enum would keep an entry in a value of its own until it knows
/// the kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    kind: Kind,
    id: MessageId,
    #[serde(rename = "uploadID")]
    upload_id: UploadId,
    seq: Seq,
    created_at: Timestamp,
    author_name: Option<AuthorName>,
    content: Option<MessageText>,
    #[serde(rename = "clientMessageID")]
    client_message_id: Option<ClientMessageId>,
    author: Option<AuthorTag>,
    at: Option<Point>,
    pin: Option<NonZeroU32>,
    deleted_at: Option<Timestamp>,
    deletes: Option<Seq>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Message,
    Deletion,
}

/// An entry without a field that its kind must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an entry without one of its fields")]
struct Incomplete;

impl TryFrom<Fields> for LogEntry {
    type Error = Incomplete;

    fn try_from(fields: Fields) -> Result<Self, Incomplete> {
        fields.into_entry().ok_or(Incomplete)
    }
}

impl Fields {
    fn into_entry(self) -> Option<LogEntry> {
        let Self {
            id,
            upload_id,
            seq,
            created_at,
            ..
        } = self;
        Some(match (self.kind, self.deleted_at) {
            (Kind::Message, None) => LogEntry::Message(Message {
                id,
                upload_id,
                seq,
                author_name: self.author_name?,
                content: self.content?,
                client_message_id: self.client_message_id?,
                created_at,
                author: self.author,
                at: self.at,
                pin: self.pin,
            }),
            (Kind::Message, Some(deleted_at)) => LogEntry::DeletedMessage(DeletedMessage {
                id,
                upload_id,
                seq,
                created_at,
                deleted_at,
            }),
            (Kind::Deletion, _) => LogEntry::Deletion(Deletion {
                id,
                upload_id,
                seq,
                deletes: self.deletes?,
                created_at,
            }),
        })
    }
}

impl LogEntry {
    /// Its own id.
    pub fn id(&self) -> MessageId {
        match self {
            Self::Message(message) => message.id,
            Self::DeletedMessage(message) => message.id,
            Self::Deletion(deletion) => deletion.id,
        }
    }

    /// The upload it belongs to.
    pub fn upload_id(&self) -> UploadId {
        match self {
            Self::Message(message) => message.upload_id,
            Self::DeletedMessage(message) => message.upload_id,
            Self::Deletion(deletion) => deletion.upload_id,
        }
    }

    /// Its number in the log.
    pub fn seq(&self) -> Seq {
        match self {
            Self::Message(message) => message.seq,
            Self::DeletedMessage(message) => message.seq,
            Self::Deletion(deletion) => deletion.seq,
        }
    }

    /// When the message was written, or the deletion made.
    pub fn created_at(&self) -> Timestamp {
        match self {
            Self::Message(message) => message.created_at,
            Self::DeletedMessage(message) => message.created_at,
            Self::Deletion(deletion) => deletion.created_at,
        }
    }

    /// The message, unless it is another entry.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::DeletedMessage(_) | Self::Deletion(_) => None,
        }
    }

    /// What is left of it after this deletion, if that is its own; else itself.
    #[must_use]
    pub fn after(self, deletion: &Deletion) -> Self {
        match self {
            Self::Message(message) if message.seq == deletion.deletes => {
                Self::DeletedMessage(message.deleted(deletion.created_at))
            }
            other => other,
        }
    }
}

impl From<Message> for LogEntry {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

/// Up to where somebody has a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The number of the last entry; 0 before the first one.
    pub seq: Seq,
    /// The id of that entry, by which another history is recognised; `None` if it is not known.
    pub id: Option<MessageId>,
}

impl From<Seq> for Cursor {
    fn from(seq: Seq) -> Self {
        Self { seq, id: None }
    }
}

/// A part of a log, and the last sequence number that was stored when it was read. JSON: `{"messages","head"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// The entries, oldest first.
    #[serde(rename = "messages")]
    pub entries: Vec<LogEntry>,
    /// The log's last sequence number; 0 when it is empty.
    pub head: Seq,
}

impl LogPage {
    /// The messages of the page that are not deleted.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.entries.iter().filter_map(LogEntry::message)
    }
}
