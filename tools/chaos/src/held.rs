//! A node as the bed holds it: faults of its own are made and repaired here, and what it did wrong meanwhile is kept.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use testbed::Node;

/// A node does not start while a backend is away: like an orchestrator this tries again, for so long.
const STARTS_WITHIN: Duration = Duration::from_mins(2);
const BETWEEN_STARTS: Duration = Duration::from_millis(500);

/// A node, and whether anything happens to it.
pub struct Held {
    node: Node,
    /// Goes up when a fault of this node begins and when it is repaired: odd in between.
    meddled: AtomicU64,
    complaints: Mutex<BTreeSet<String>>,
}

impl Held {
    /// A node that runs.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            meddled: AtomicU64::new(0),
            complaints: Mutex::default(),
        }
    }

    /// The node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.node.port()).into()
    }

    /// `None` while a fault of this node lasts: it may be silent or gone. Otherwise a number that stays the same for as
    /// long as none begins.
    pub fn left_alone(&self) -> Option<u64> {
        let meddled = self.meddled.load(Ordering::SeqCst);
        meddled.is_multiple_of(2).then_some(meddled)
    }

    /// Whether it has ended by itself.
    pub fn has_fallen(&self) -> bool {
        // Asked first: a fault begins before the node goes.
        let before = self.left_alone();
        before.is_some() && !self.node.process().is_running() && self.left_alone() == before
    }

    /// The node did something that it must not.
    pub fn blame(&self, complaint: String) {
        let complaints = self.complaints.lock();
        let mut complaints = complaints.unwrap_or_else(PoisonError::into_inner);
        complaints.insert(complaint);
    }

    /// What it did that it must not.
    pub fn complaints(&self) -> Vec<String> {
        let complaints = self.complaints.lock();
        let complaints = complaints.unwrap_or_else(PoisonError::into_inner);
        complaints.iter().cloned().collect()
    }

    /// Kills it.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn kill(&self) -> Result<()> {
        self.meddle();
        self.node.kill()
    }

    /// Stops it in its tracks.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self) -> Result<()> {
        self.meddle();
        self.node.freeze()
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> Result<()> {
        self.node.thaw()?;
        self.meddle();
        Ok(())
    }

    /// Stops it in an orderly way. One that does not leave is blamed for that and killed: the run goes on.
    pub fn stop(&self) {
        self.meddle();
        let ran = self.node.process().is_running();
        if self.node.terminate().is_err() {
            let what = if ran {
                "it ignored SIGTERM for half a minute and had to be killed"
            } else {
                "it had ended by itself before it was asked to leave"
            };
            self.blame(what.to_owned());
        }
    }

    /// Starts it again after it was killed or stopped.
    ///
    /// # Errors
    /// When it does not start however often it is tried.
    pub fn start(&self) -> Result<()> {
        let begin = Instant::now();
        while let Err(error) = self.node.restart() {
            if begin.elapsed() > STARTS_WITHIN {
                bail!("a node does not start any more: {error:#}");
            }
            sleep(BETWEEN_STARTS);
        }
        self.meddle();
        Ok(())
    }

    fn meddle(&self) {
        self.meddled.fetch_add(1, Ordering::SeqCst);
    }
}
