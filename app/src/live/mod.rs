//! The browser's side of a conversation: a pure state machine that decides, and a thin driver that does its input and
//! output. Components use [`Live`] only.
//!
//! ```text
//! conversations  those that this tab has open or may come back to
//! handle    signals and verbs for components
//! driver/   sockets, fetches, timers, the browser's events
//! machine   what follows from what, made of
//!   line          when to connect, and when to try again
//!   conversation  the order of the stored messages
//!   fetching      what is missing, one fetch at a time
//!   outbox        one's own messages on their way
//!   touches       ripples
//! ```

pub(crate) mod api;
mod conversation;
mod conversations;
mod driver;
pub mod effect;
pub mod failure;
mod fetching;
mod handle;
pub mod line;
pub mod machine;
mod outbox;
#[cfg(test)]
mod tests;
mod touches;
mod view;

pub use conversations::{Conversations, Opened};
pub use handle::Live;
pub use view::{Connection, Delivery, Entry, History, Ripple};
