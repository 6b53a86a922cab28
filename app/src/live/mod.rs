//! The browser's side of a conversation: a pure state machine that decides, and a thin shell that does its input and
//! output. Components use [`Live`] only.
//!
//! ```text
//! handle    signals and verbs for components
//! shell/    sockets, fetches, timers, the browser's events
//! machine   what follows from what, made of
//!   line          when to connect, and when to try again
//!   conversation  the order of the stored messages
//!   fetching      what is missing, one fetch at a time
//!   outbox        one's own messages on their way
//!   touches       ripples
//! ```

mod api;
mod conversation;
pub mod effect;
pub mod failure;
mod fetching;
mod handle;
pub mod line;
pub mod machine;
mod outbox;
mod shell;
#[cfg(test)]
mod tests;
mod touches;
mod view;

pub use handle::Live;
pub use view::{Connection, Delivery, Entry, History, Ripple};
