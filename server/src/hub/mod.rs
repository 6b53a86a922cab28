//! The hub: this node's sockets and the topics that they watch.
//!
//! What happens at an upload reaches sockets in one way only: it is published through the broker, which delivers it to
//! every subscribed node including this one, and [`Hub::deliver_local`] puts it into the [`Outbox`] of each watching
//! socket. A frame is encoded once, and all sockets get the same bytes. What a node says itself, such as that it lacks
//! frames, goes the same way from its rooms on; answers go to one outbox.

mod answer_cache;
mod batch;
mod commands;
pub mod deleting;
mod deletion_slots;
mod epoch;
mod frames;
mod handle;
mod head_announcer;
mod incoming;
pub mod metrics;
mod outbox;
pub mod posting;
mod presence;
mod presence_announcer;
mod queue_lengths;
mod queued_bytes;
mod recent;
mod reconciler;
mod refusals;
mod rooms;
mod schedule;
mod session;
mod socket_monitor;
mod start;
mod throttle;
mod unconfirmed;

pub use handle::{Hub, HubLimits};
pub use outbox::{Outbox, Queued};
pub use queue_lengths::QueueLengths;
pub use queued_bytes::QueuedBytes;
pub use rooms::{Membership, WatchedUpload};
