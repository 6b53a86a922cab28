//! A node under test: its faults are made here, and what it does wrong is reported under its number.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use testbed::{Node, Process};

use crate::recorder::Recorder;

/// A node does not start while a backend is unavailable: like an orchestrator this retries, for so long.
const START_TIMEOUT: Duration = Duration::from_mins(2);
const START_RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// A node, and whether a fault affects it.
pub struct ManagedNode {
    node: Node,
    number: usize,
    recorder: Recorder,
    /// Goes up when a fault begins and when it is repaired: odd in between.
    fault_epoch: AtomicU64,
}

impl ManagedNode {
    pub fn start(
        number: usize,
        program: &Path,
        environment: &[(&str, &str)],
        recorder: Recorder,
    ) -> Result<Self> {
        Ok(Self {
            node: Node::start(program, environment)?,
            number,
            recorder,
            fault_epoch: AtomicU64::new(0),
        })
    }

    pub fn process(&self) -> &Process {
        self.node.process()
    }

    pub fn address(&self) -> SocketAddr {
        self.node.address()
    }

    /// `None` during a fault, when the node may be silent or gone; otherwise a number that stays the same until the
    /// next fault.
    pub fn fault_free_epoch(&self) -> Option<u64> {
        let epoch = self.fault_epoch.load(Ordering::SeqCst);
        epoch.is_multiple_of(2).then_some(epoch)
    }

    /// Whether it has ended without a fault.
    pub fn has_crashed(&self) -> bool {
        // Read first: a fault begins before the node ends.
        let before = self.fault_free_epoch();
        before.is_some() && !self.process().is_running() && self.fault_free_epoch() == before
    }

    pub fn violation(&self, what: &str) {
        self.recorder
            .violation(format!("node {}: {what}", self.number));
    }

    pub fn kill(&self) -> Result<()> {
        self.next_fault_epoch();
        self.node.kill()
    }

    pub fn freeze(&self) -> Result<()> {
        self.next_fault_epoch();
        self.node.freeze()
    }

    pub fn thaw(&self) -> Result<()> {
        self.node.thaw()?;
        self.next_fault_epoch();
        Ok(())
    }

    /// Shuts it down gracefully. One that does not end is reported and killed: the run goes on.
    pub fn stop(&self) {
        self.next_fault_epoch();
        let ran = self.process().is_running();
        if self.node.terminate().is_err() {
            self.violation(if ran {
                "it ignored SIGTERM for half a minute and had to be killed"
            } else {
                "it had ended by itself before SIGTERM"
            });
        }
    }

    /// Starts it again after it was killed or stopped.
    pub fn restart(&self) -> Result<()> {
        let begin = Instant::now();
        while let Err(error) = self.node.restart() {
            if begin.elapsed() > START_TIMEOUT {
                bail!("node {} does not start any more: {error:#}", self.number);
            }
            sleep(START_RETRY_INTERVAL);
        }
        self.next_fault_epoch();
        Ok(())
    }

    fn next_fault_epoch(&self) {
        self.fault_epoch.fetch_add(1, Ordering::SeqCst);
    }
}
