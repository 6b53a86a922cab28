//! The browser's side of a conversation: a pure state machine that decides, and a thin shell that does its input and
//! output. Components use [`Live`] only.

mod handle;
mod view;

pub use handle::Live;
pub use view::{Connection, Delivery, Entry, History, Ripple};
