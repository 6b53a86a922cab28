//! Processor time of the nodes.

use std::fmt;
use std::time::{Duration, Instant};

use crate::managed_node::ManagedNode;

/// How often nodes are sampled. Processor use is averaged over this time, since a busy moment is no fault.
pub const SAMPLE_INTERVAL: Duration = Duration::from_secs(4);
/// A node with a few dozen sockets that uses more for so long is in a busy loop. (A debug build takes about 10.)
const MAX_PERCENT: f64 = 75.0;

/// The processor time that a node had used at some moment.
#[derive(Debug, Clone, Copy)]
pub struct ProcessorTime {
    at: Instant,
    fault_free_epoch: u64,
    used: Duration,
}

impl ProcessorTime {
    /// `None` during a fault of the node.
    pub fn now(node: &ManagedNode) -> Option<Self> {
        Some(Self {
            fault_free_epoch: node.fault_free_epoch()?,
            used: node.process().processor_time().ok()?,
            at: Instant::now(),
        })
    }

    /// Processor use since an earlier moment, in percent; `None` when there was a fault in between.
    pub fn percent_since(self, earlier: Self) -> Option<f64> {
        let is_same_run = self.fault_free_epoch == earlier.fault_free_epoch;
        let used = self.used.checked_sub(earlier.used)?;
        is_same_run.then(|| 100.0 * used.div_duration_f64(self.at - earlier.at))
    }
}

/// What a node used during the run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// The highest processor use between two samples.
    peak_percent: f64,
    has_crashed: bool,
    last_sample: Option<ProcessorTime>,
}

impl Usage {
    /// Samples the node. Blocks while the node is being stopped.
    pub fn sample(&mut self, node: &ManagedNode) {
        self.has_crashed |= node.has_crashed();
        let now = ProcessorTime::now(node);
        let percent = now
            .zip(self.last_sample)
            .and_then(|(now, last)| now.percent_since(last));
        self.peak_percent = self.peak_percent.max(percent.unwrap_or(0.0));
        self.last_sample = now;
    }

    /// Reports what is more than a node needs.
    pub fn check(&self, node: &ManagedNode) {
        if self.has_crashed {
            node.violation("it ended by itself");
        }
        let percent = self.peak_percent;
        if percent > MAX_PERCENT {
            node.violation(&format!(
                "it used {percent:.0} % of a processor for seconds"
            ));
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.0} % of a processor at most", self.peak_percent)
    }
}
