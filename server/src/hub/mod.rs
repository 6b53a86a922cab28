//! The hub: this node's sockets and the topics that they watch.
//!
//! A frame reaches sockets on one path only: published through the broker, delivered back to every subscribed node,
//! this one too, and from there (`emit_local`) into each watching socket's `Outbox`. The same bytes go to every
//! socket; nothing is encoded twice.

mod answers;
mod audit;
mod batch;
mod beacon;
mod claims;
mod commands;
mod era;
mod frames;
mod heard;
mod keeper;
pub mod metrics;
mod outbox;
pub mod posting;
mod recent;
mod refusal;
mod rooms;
mod session;
mod start;
mod topics;
mod waiting;

pub use outbox::Outbox;
pub use rooms::Membership;
pub use topics::{Hub, HubLimits};
pub use waiting::WaitingBytes;
