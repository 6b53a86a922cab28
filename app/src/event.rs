//! The messages of the WebSocket protocol: text frames, each one JSON object `{"type":…,"data":{…}}` (protocol.md, "Socket").

mod raw_command;

use serde::{Deserialize, Serialize};

use self::raw_command::RawCommand;
use crate::model::{
    AuthorName, AuthorTag, Message, MessageId, Person, Point, Seq, StrokeId, TabId, TouchPoint,
    UploadId, UploadRef, Viewer,
};

/// The WebSocket subprotocol of these messages.
pub const SUBPROTOCOL: &str = "tonesa.v1";
/// The largest frame that a client may send, in bytes; a larger one closes the socket with 1009.
pub const MAX_COMMAND_BYTES: usize = 4 * 1024;
/// How many uploads one socket may watch.
pub const MAX_WATCHED_UPLOADS: usize = 32;

/// An event that the server sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Frame",
    tag = "type",
    content = "data",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerEvent {
    /// The socket follows the upload now. From here on every message with a number above `head` is delivered, or its
    /// absence shows as a gap in the numbers.
    Watched {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
        /// The last sequence number stored when the subscription was confirmed.
        head: Seq,
        /// The messages after the client's cursor, if the node has them in memory; otherwise empty.
        messages: Vec<Message>,
        /// The client's last message is not the store's: it has to start anew, from these newest messages.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        reset: bool,
    },
    /// Somebody wrote a message.
    MessagePosted {
        /// The upload's long id.
        #[serde(rename = "uploadID")]
        upload_id: UploadId,
        /// The whole message.
        message: Message,
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

/// An event in JSON. What serde derives for such an enum keeps the data in a value of its own until it knows the type, and
/// with it a second copy of all code that reads messages: 50 kB of WASM.
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
    messages: Option<Vec<Message>>,
    reset: Option<bool>,
    message: Option<Message>,
    points: Option<Vec<TouchPoint>>,
    count: Option<u32>,
    people: Option<Vec<Person>>,
    command: Option<CommandName>,
    code: Option<RefusalCode>,
    detail: Option<String>,
}

/// Why a frame is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no event of {SUBPROTOCOL}")]
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
                messages: self.messages?,
                reset: self.reset.unwrap_or_default(),
            },
            "messagePosted" => ServerEvent::MessagePosted {
                upload_id: upload_id?,
                message: self.message?,
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

/// Which command was not done, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The refused command's `type`.
    pub command: CommandName,
    /// The upload as the client named it.
    #[serde(rename = "uploadID")]
    pub upload_id: String,
    /// Why, for programs.
    pub code: RefusalCode,
    /// Why, for people.
    pub detail: String,
}

/// A command's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CommandName {
    /// `watch`
    Watch,
    /// `unwatch`
    Unwatch,
    /// `touch`
    Touch,
}

/// Why a command was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalCode {
    /// No such upload, or no such id.
    NotFound,
    /// The socket watches as many uploads as it may.
    TooManyWatched,
    /// The socket does not watch that upload.
    NotWatched,
    /// A field out of bounds, as a coordinate that is not a fraction.
    InvalidField,
    /// More watches than are allowed in a second: refused once, then dropped silently until a second passes without excess.
    TooManyWatches,
    /// More touches than are allowed in a second: refused once, then dropped silently until a second passes without excess.
    TooManyTouches,
    /// A backend is unavailable; retry later.
    Unavailable,
}

/// A command that a client sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    content = "data",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ClientCommand {
    /// Follow this upload.
    Watch {
        /// The upload, by either form of its id.
        #[serde(rename = "uploadID")]
        upload_id: UploadRef,
        /// The last sequence number the client has; `null` when it has nothing.
        after: Option<Seq>,
        /// The id of the message with that number, so that the server can tell whether it still has it.
        #[serde(rename = "afterID", skip_serializing_if = "Option::is_none")]
        after_id: Option<MessageId>,
        /// Who watches, for `presence`.
        #[serde(skip_serializing_if = "Option::is_none")]
        viewer: Option<Viewer>,
    },
    /// Stop following it.
    Unwatch {
        /// The upload, by either form of its id.
        #[serde(rename = "uploadID")]
        upload_id: UploadRef,
    },
    /// Touch the image.
    Touch {
        /// The upload, by either form of its id.
        #[serde(rename = "uploadID")]
        upload_id: UploadRef,
        /// The position.
        #[serde(flatten)]
        at: Point,
        /// The secret id of the sending tab.
        #[serde(serialize_with = "TabId::serialize_secret")]
        tab: TabId,
        /// The tag of who touches.
        #[serde(skip_serializing_if = "Option::is_none")]
        author: Option<AuthorTag>,
        /// The alias of who touches.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<AuthorName>,
        /// The line that the touch is a part of.
        #[serde(skip_serializing_if = "Option::is_none")]
        stroke: Option<StrokeId>,
    },
}

/// A frame that is no command.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// Not a command of the protocol: the socket is closed with 1008.
    #[error("not a command of {SUBPROTOCOL}: {0}")]
    Malformed(String),
    /// A command with a value that cannot be: it is refused and the socket stays open.
    #[error("{}", .0.detail)]
    Refused(Refusal),
}

impl ClientCommand {
    /// Reads a client's text frame.
    ///
    /// # Errors
    /// [`CommandError::Malformed`] when the frame breaks the protocol, [`CommandError::Refused`] when only a value
    /// is out of bounds.
    pub fn parse(frame: &str) -> Result<Self, CommandError> {
        let raw: RawCommand = serde_json::from_str(frame)
            .map_err(|error| CommandError::Malformed(error.to_string()))?;
        raw.validate().map_err(CommandError::Refused)
    }
}
