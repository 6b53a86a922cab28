//! What components show of a live conversation.

use std::num::NonZeroU32;

use crate::model::{
    AuthorName, AuthorTag, ClientMessageId, MessageId, MessageText, NewMessage, Person, Point, Seq,
    TabTag, Timestamp,
};

/// A message in the list: stored ones first, in sequence order, then the tab's own that are not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMessage {
    /// Its client's id, which stays the same from *sending* to *sent*, so that lists can be keyed by it.
    pub key: ClientMessageId,
    /// Its number in the conversation; 0 until it is stored.
    pub seq: Seq,
    /// Who wrote it.
    pub author_name: AuthorName,
    /// What they wrote.
    pub content: MessageText,
    /// When the node accepted it; until then, when it was written.
    pub created_at: Timestamp,
    /// Which browser wrote it, if that is known.
    pub author: Option<AuthorTag>,
    /// Its place on the image, if it has one.
    pub at: Option<Point>,
    /// The number of its place, once it is stored.
    pub pin: Option<NonZeroU32>,
    /// Whether this browser wrote it.
    pub mine: bool,
    /// Whether it is stored.
    pub delivery: Delivery,
}

/// What this tab has of an entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    /// The entry's id.
    pub id: MessageId,
    /// The message; `None` for a deletion, and for a message that is deleted.
    pub message: Option<ListedMessage>,
    /// The number of the message that it deletes; `None` for messages.
    pub deletes: Option<Seq>,
}

impl ListedMessage {
    /// The message as it is posted.
    pub(super) fn to_new(&self) -> NewMessage {
        NewMessage {
            author_name: self.author_name.clone(),
            content: self.content.clone(),
            client_message_id: self.key.clone(),
            at: self.at,
            author: self.author,
        }
    }
}

/// The place of a listed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Unique in this conversation.
    pub id: u64,
    /// Its number among the places of the conversation.
    pub number: NonZeroU32,
    /// Where it is on the image.
    pub at: Point,
    /// The number of its message.
    pub seq: Seq,
    /// Who wrote that.
    pub author_name: AuthorName,
    /// The tag of its author.
    pub author: Option<AuthorTag>,
}

/// Whether a message is stored, or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Being posted, or queued.
    Sending,
    /// Not stored, as far as is known: posted again by itself.
    Waiting {
        /// What for, for people.
        note: String,
    },
    /// Stored: everyone sees it.
    Sent,
    /// Not stored, as far as is known. A retry never stores it twice.
    Failed {
        /// What went wrong, in a sentence for people.
        reason: String,
        /// Whether trying again can help (it cannot when the server found the text invalid).
        retry: bool,
    },
    /// Stored, and deleted by the reader.
    Deleted {
        /// Whether that can be undone: the server was not asked yet.
        undo: bool,
    },
    /// Stored: the server has not deleted it.
    NotDeleted {
        /// Why, in a sentence for people.
        reason: String,
    },
}

/// The state of the connection to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// The first connection is being made.
    Connecting,
    /// Messages and touches arrive at once.
    Live,
    /// Live again after an interruption, in which others posted `missed` messages; becomes `Live` after a while.
    CaughtUp {
        /// How many.
        missed: usize,
    },
    /// The server answers, but messages of others arrive with a delay: its own connections are broken.
    Delayed,
    /// The connection was lost; another one is being made.
    Reconnecting,
    /// The browser reports that there is no network.
    Offline,
    /// The server does not know the upload. Nothing is tried any more.
    NotFound,
    /// The upload was deleted or has expired. Nothing is tried any more.
    Gone,
}

/// Whether there are older messages than those listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OlderMessages {
    /// There are.
    More,
    /// They are being fetched.
    Loading,
    /// Fetching them failed; the reader may try again.
    Failed,
    /// The first message is listed.
    Complete,
}

/// Who touched the image, as they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedBy {
    /// The tab.
    pub tab: TabTag,
    /// The tag of their messages.
    pub author: Option<AuthorTag>,
    /// Their alias.
    pub name: Option<AuthorName>,
    /// Whether it was this tab.
    pub mine: bool,
}

/// A ripple where somebody touched the image, and then the dot that is left of it; components call `Live::end_ripple`
/// when its animation has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ripple {
    /// Unique in this conversation.
    pub id: u64,
    /// Where.
    pub at: Point,
    /// Who.
    pub by: TouchedBy,
    /// Whether others see it: false for this tab's touches without a connection.
    pub is_sent: bool,
    /// Whether only the dot is left.
    pub is_dot: bool,
}

/// A part of a line that somebody draws: a quadratic curve. Components call `Live::end_segment` when it has faded.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Unique in this conversation.
    pub id: u64,
    /// Its start, its control point and its end.
    pub points: [Point; 3],
    /// Who.
    pub by: TouchedBy,
    /// As for ripples.
    pub is_sent: bool,
}

/// Who is here.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Presence {
    /// How many tabs show the upload.
    pub count: u32,
    /// Those of them who have a name, at most 24.
    pub people: Vec<Person>,
}
