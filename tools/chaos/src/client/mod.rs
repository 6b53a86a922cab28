//! A client that speaks the real protocol: the browser's own state machine, driven natively, and a simulated user.

mod api;
mod driver;
mod pool;
mod protocol;
mod roles;
mod socket;
mod text;
mod transcript;
mod user;

use std::time::Duration;

use app::model::{AuthorSecret, Seq, UploadId};
use tokio::sync::watch;

use crate::recorder::Recorder;
use crate::restores::Restores;

pub use api::Api;
pub use pool::ClientPool;
pub use protocol::sequence_error;
pub use roles::{crowd, few, owner_in_crowd, owner_in_few};
pub use socket::watched;
pub use text::{MARKER_END, marker, random_text};
pub use transcript::{Line, Lines, Transcript};

/// A part of a run, the same for all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Users write and tap.
    Writing,
    /// Clients send what is unsent and catch up; users start nothing.
    Quiet,
    /// Clients stop.
    Over,
}

/// What all clients of the same nodes share.
#[derive(Debug, Clone)]
pub struct Context {
    pub api: Api,
    pub recorder: Recorder,
    pub phase: watch::Receiver<Phase>,
    /// Of the nodes' store.
    pub restores: Restores,
}

/// What one client does.
#[derive(Debug, Clone)]
pub struct Role {
    /// Unique in the run.
    pub name: String,
    pub upload: UploadId,
    /// The author's secret, of the upload's owner too if it deletes what others wrote.
    pub secret: AuthorSecret,
    pub seed: u64,
    /// Mean time between two messages.
    pub pace: Duration,
    /// Whether it stays to the end of the run.
    pub stays: bool,
    /// Whether it pauses reading its socket again and again.
    pub stalls: bool,
    pub writes_long: bool,
    pub deletes: Deletes,
}

/// Whose messages a client deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletes {
    Own,
    /// It is the upload's owner.
    All,
}

/// How far a client is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// The last number up to which nothing is missing.
    pub cursor: Seq,
    /// Its own messages that are not listed with the stored ones yet, and its deletions that are not answered well.
    pub unsent: usize,
    pub is_live: bool,
}
