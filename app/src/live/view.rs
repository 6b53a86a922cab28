//! What components show of a live conversation.

use crate::model::{AuthorName, ClientMessageId, MessageText, Point, Timestamp};

/// One message as it is listed: posted ones first, in sequence order, then one's own that are not posted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Stable from *sending* to *sent*, so that lists can be keyed by it.
    pub key: ClientMessageId,
    /// Who wrote it.
    pub author_name: AuthorName,
    /// What they wrote.
    pub content: MessageText,
    /// When the node took it; when it was written, as long as it is not sent.
    pub created_at: Timestamp,
    /// Whether this tab wrote it.
    pub mine: bool,
    /// How far it got.
    pub delivery: Delivery,
}

/// How far a message got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// On its way.
    Sending,
    /// Stored: everyone sees it.
    Sent,
    /// Not stored, as far as is known. A retry never posts it twice.
    Failed {
        /// What went wrong, in a sentence for people.
        reason: String,
        /// Whether trying again can help (it cannot when the server found the text invalid).
        retry: bool,
    },
}

/// The state of the line to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// The first connection is being made.
    Connecting,
    /// What is written or tapped shows at once.
    Live,
    /// Live again after a gap, in which `missed` messages were posted by others; becomes `Live` after a while.
    CaughtUp {
        /// How many.
        missed: usize,
    },
    /// The server is there, but what others do shows with a delay: the server's own lines are broken.
    Delayed,
    /// The line was lost and is being remade.
    Reconnecting,
    /// The browser says that there is no network.
    Offline,
}

/// Whether there are older messages than those listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// There are.
    More,
    /// They are being fetched.
    Loading,
    /// Fetching them failed; asking again is fine.
    Failed,
    /// The conversation's beginning is listed.
    Complete,
}

/// A tap to be drawn; components remove it with `Live::finish_ripple` when it has faded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ripple {
    /// Unique in this tab.
    pub id: u64,
    /// Where.
    pub at: Point,
    /// Whether this tab tapped.
    pub mine: bool,
}
