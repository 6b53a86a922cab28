//! The browser's side of a conversation: a state machine without input and output, and a thin driver around it.
//! Components use [`Live`] only.
//!
//! ```text
//! conversations  those that this tab has open or may come back to
//! handle         signals and methods for components
//! view           the values of these signals
//! message_list   the listed messages as signals
//! driver/        sockets, HTTP calls, timers, the browser's events
//! api            the HTTP calls
//! failure        the reasons why HTTP calls fail
//! machine/       the state machine; its parts are:
//! connection/    when to connect, and when to try again
//! conversation   the order of the stored log
//! backfill       fetching missing messages
//! outbox         the tab's own messages that are not stored yet
//! deletions      the messages that the reader deletes
//! ripples        the ripples on the image
//! strokes        the lines on the image
//! effect         the machine's effects: what the driver is to do
//! ```

pub(crate) mod api;
mod backfill;
pub mod connection;
mod conversation;
mod conversations;
mod deletions;
mod driver;
pub mod effect;
pub mod failure;
mod handle;
pub mod machine;
mod message_list;
mod outbox;
mod ripples;
mod strokes;
#[cfg(test)]
mod tests;
mod view;

pub use conversations::{Conversations, Opened};
pub use deletions::UNDO_MILLIS;
pub use driver::connect_early;
pub use handle::Live;
pub use message_list::{Chunk, MessageList, Row, RowState};
pub use view::{
    Connection, Delivery, ListedEntry, ListedMessage, OlderMessages, Pin, Presence, Ripple,
    Segment, TouchedBy,
};
