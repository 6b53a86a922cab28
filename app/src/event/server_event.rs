use serde::{Deserialize, Serialize, Serializer};

use super::refusal::{CommandName, Refusal, RefusalCode};
use crate::model::{Deletion, LogEntry, Message, Person, Seq, TouchPoint, UploadId};

/// An event that the server sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Frame",
    tag = "type",
    content = "data",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ServerEvent {
    /// The socket follows the upload now. From here on every message with a number above `head` is delivered, or its
    /// absence shows as a gap in the numbers.
    Watched {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
        /// The last sequence number stored when the subscription was confirmed.
        head: Seq,
        /// The entries of the log after the client's cursor, if the node has them in memory; otherwise empty.
        #[serde(rename = "messages")]
        entries: Vec<LogEntry>,
        /// The client's last entry is not the store's: it has to start anew, from these newest ones.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        reset: bool,
    },
    /// Somebody wrote a message.
    MessagePosted {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
        /// The whole message.
        #[serde(serialize_with = "as_entry")]
        #[cfg_attr(feature = "ssr", schema(value_type = LogEntry))]
        message: Message,
    },
    /// Somebody deleted a message.
    MessageDeleted {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
        /// The whole entry of the log that deletes it.
        #[serde(serialize_with = "as_deletion")]
        #[cfg_attr(feature = "ssr", schema(value_type = LogEntry))]
        entry: Deletion,
    },
    /// The upload is deleted or expired. Nothing more comes of it.
    UploadDeleted {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
    },
    /// Somebody touched the image, once or more often.
    Touched {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
        /// The touches, oldest first.
        points: Vec<TouchPoint>,
    },
    /// How many sockets watch the upload, and who.
    Presence {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
        /// The number of sockets, on all nodes.
        count: u32,
        /// Those who gave a name, at most 24.
        people: Vec<Person>,
    },
    /// The announced head: a client that is behind `head` fetches.
    HeadAdvanced {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
        /// The last sequence number stored.
        head: Seq,
    },
    /// A command was not done; the socket stays open.
    Refused(Refusal),
}

/// Writes a message with its `kind`, as an entry of the log.
fn as_entry<S: Serializer>(message: &Message, serializer: S) -> Result<S::Ok, S::Error> {
    LogEntry::Message(message.clone()).serialize(serializer)
}

/// Writes a deletion with its `kind`, as an entry of the log.
fn as_deletion<S: Serializer>(deletion: &Deletion, serializer: S) -> Result<S::Ok, S::Error> {
    LogEntry::Deletion(*deletion).serialize(serializer)
}

/// An event in JSON. What serde derives for such an enum keeps the data in a value of its own until it knows the type,
/// and with it a second copy of all code that reads messages: 50 kB of WASM.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

/// The data of all events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(rename = "uploadID")]
    upload_id: String,
    head: Option<Seq>,
    messages: Option<Vec<LogEntry>>,
    reset: Option<bool>,
    message: Option<LogEntry>,
    entry: Option<LogEntry>,
    points: Option<Vec<TouchPoint>>,
    count: Option<u32>,
    people: Option<Vec<Person>>,
    command: Option<CommandName>,
    code: Option<RefusalCode>,
    detail: Option<String>,
}

/// Why a frame is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no event of the protocol")]
struct NoEvent;

impl TryFrom<Frame> for ServerEvent {
    type Error = NoEvent;

    fn try_from(Frame { kind, data }: Frame) -> Result<Self, NoEvent> {
        data.into_event(&kind).ok_or(NoEvent)
    }
}

impl Data {
    fn into_event(self, kind: &str) -> Option<ServerEvent> {
        let upload_id = self.upload_id.parse().ok();
        Some(match kind {
            "watched" => ServerEvent::Watched {
                upload_id: upload_id?,
                head: self.head?,
                entries: self.messages?,
                reset: self.reset.unwrap_or_default(),
            },
            "messagePosted" => ServerEvent::MessagePosted {
                upload_id: upload_id?,
                message: match self.message? {
                    LogEntry::Message(message) => message,
                    LogEntry::DeletedMessage(_) | LogEntry::Deletion(_) => return None,
                },
            },
            "messageDeleted" => ServerEvent::MessageDeleted {
                upload_id: upload_id?,
                entry: match self.entry? {
                    LogEntry::Deletion(deletion) => deletion,
                    LogEntry::Message(_) | LogEntry::DeletedMessage(_) => return None,
                },
            },
            "uploadDeleted" => ServerEvent::UploadDeleted {
                upload_id: upload_id?,
            },
            "touched" => ServerEvent::Touched {
                upload_id: upload_id?,
                points: self.points?,
            },
            "presence" => ServerEvent::Presence {
                upload_id: upload_id?,
                count: self.count?,
                people: self.people?,
            },
            "headAdvanced" => ServerEvent::HeadAdvanced {
                upload_id: upload_id?,
                head: self.head?,
            },
            "refused" => ServerEvent::Refused(Refusal {
                command: self.command?,
                upload_id: self.upload_id,
                code: self.code?,
                detail: self.detail?,
            }),
            _ => return None,
        })
    }
}
