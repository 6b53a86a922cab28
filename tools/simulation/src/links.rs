//! What works between a node and its backends: set by faults, read by the simulated store and broker.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use server::random;

/// How long an answer of the broker takes, in milliseconds; the same when the link is unreliable; and how long it takes
/// to fail when it is cut.
pub const ANSWERED: Range<u64> = 1..4;
pub const ANSWERED_SLOWLY: Range<u64> = 1..900;
pub const REFUSED: Range<u64> = 100..3_000;

/// What carries frames between the nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrokerKind {
    /// A simulated broker, which loses, doubles and reorders single frames.
    #[default]
    Simulated,
    /// The real one, by its connections to a simulated Redis server.
    Redis,
}

/// How the store treats a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreLink {
    #[default]
    Fine,
    /// It takes up to seconds.
    Slow,
    /// Calls fail: before they are done, after that, or they are done when the node has given up.
    Failing,
}

/// How the broker treats a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrokerLink {
    #[default]
    Fine,
    /// Frames to it are lost, doubled, late or out of order, and some calls are answered with an error. With Redis, its
    /// connections are slow, some are closed or not made, and some commands are refused.
    Unreliable,
    /// Half of the frames to it are lost, and nothing tells. With Redis, the connections that it has are half-open
    /// from then on, and new ones work.
    Lossy,
    /// Nothing gets through.
    Cut,
}

/// The links of one node; clones share them. They outlive its process.
#[derive(Debug, Clone, Default)]
pub struct Links(Arc<Mutex<(StoreLink, BrokerLink)>>);

impl Links {
    /// How the store treats the node.
    pub fn store(&self) -> StoreLink {
        self.lock().0
    }

    /// How the broker treats the node.
    pub fn broker(&self) -> BrokerLink {
        self.lock().1
    }

    /// Changes how the store treats the node.
    pub fn set_store(&self, link: StoreLink) {
        self.lock().0 = link;
    }

    /// Changes how the broker treats the node.
    pub fn set_broker(&self, link: BrokerLink) {
        self.lock().1 = link;
    }

    fn lock(&self) -> MutexGuard<'_, (StoreLink, BrokerLink)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a random duration in milliseconds.
pub fn millis(range: Range<u64>) -> Duration {
    Duration::from_millis(random::rng().random_range(range))
}

/// Waits for a random time, in milliseconds.
pub async fn pause(range: Range<u64>) {
    tokio::time::sleep(millis(range)).await;
}

/// Whether something happens that happens in so many of a hundred cases.
pub fn chance(percent: u32) -> bool {
    random::rng().random_ratio(percent, 100)
}
