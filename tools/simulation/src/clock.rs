//! Virtual time as one node's timers see it.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

use crate::Millis;
use crate::trace::Trace;

/// Tells the virtual time inside a node's runtime, and writes to the trace.
#[derive(Clone)]
pub struct NodeClock {
    /// The node's number.
    pub node: usize,
    /// When the process was started.
    pub started_at: Millis,
    /// What the clock of its timers showed then.
    pub epoch: Instant,
    pub trace: Trace,
}

impl NodeClock {
    /// The virtual time; only inside the node's runtime.
    pub fn now(&self) -> Millis {
        let passed = self.epoch.elapsed().as_millis();
        self.started_at + u64::try_from(passed).unwrap_or(u64::MAX)
    }

    /// When the clock of timers shows this virtual time.
    pub fn instant(&self, at: Millis) -> Instant {
        self.epoch + Duration::from_millis(at.saturating_sub(self.started_at))
    }

    /// Adds a line about the node to the trace; only inside its runtime.
    pub fn trace(&self, what: impl Display) {
        self.trace
            .line(self.now(), format_args!("n{}", self.node), what);
    }
}
