//! A client that speaks the real protocol: the browser's own state machine in a native shell, and somebody who writes.
//!
//! ```text
//! person      writes, taps, tries failed messages again
//! shell       does what the machine asks, and tells it what happens
//! socket      the WebSocket
//! stream      what a socket tells, judged by the protocol
//! text        what people write
//! api         the calls of the HTTP API
//! transcript  what was listed, in the order in which it was
//! ```

mod api;
mod person;
mod shell;
mod socket;
mod stream;
mod text;
mod transcript;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::model::{Seq, UploadId};

pub use api::{Api, after, read};
pub use person::live;
pub use stream::misfit;
pub use transcript::{Line, Transcript};

/// Who a client is.
#[derive(Debug, Clone)]
pub struct Role {
    /// Unique in the run.
    pub name: String,
    /// What it watches.
    pub upload: UploadId,
    /// Decides what it does.
    pub seed: u64,
    /// Mean time between two messages of its own.
    pub pace: Duration,
    /// Whether it stalls: reads nothing of its socket for a while, again and again.
    pub stalls: bool,
    /// Whether all its texts are long.
    pub writes_long: bool,
}

/// How far a client is, as seen from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last number up to which nothing is missing.
    pub cursor: Seq,
    /// Messages of its own that are not listed with the stored ones yet.
    pub unsent: usize,
    /// Whether its line is live.
    pub is_live: bool,
}

/// Where a client writes its [`Standing`].
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<Mutex<Standing>>);

impl Gauge {
    /// What was written last.
    pub fn read(&self) -> Standing {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, standing: Standing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}
