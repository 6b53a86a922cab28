//! Counts of actions that all nodes share. They fail open: without them each node counts for itself.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::time::timeout;

use super::token_buckets::RateLimited;

/// How long an action waits to be counted.
const MAX_WAIT: Duration = Duration::from_millis(50);
/// After a failure only one action in this time is sent to be counted, until one has been; the others pass uncounted.
const PAUSE: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_mins(1);

/// Nothing was counted, or it is not known; with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotCounted(pub String);

/// Counters that all nodes share.
#[async_trait]
pub trait SharedCounts: Send + Sync + 'static {
    /// Adds 1 to the counter of this name, which begins at 0 and is forgotten after `keep`, and returns its value.
    ///
    /// # Errors
    /// [`NotCounted`].
    async fn count(&self, name: &str, keep: Duration) -> Result<u64, NotCounted>;
}

/// Counts the actions of addresses at all nodes, by the minutes of the clock.
pub struct SharedRates {
    counts: Arc<dyn SharedCounts>,
    /// When to try again; `None` while it works.
    retry_at: Mutex<Option<Instant>>,
}

impl SharedRates {
    /// Counts by these counters.
    pub fn new(counts: Arc<dyn SharedCounts>) -> Self {
        Self {
            counts,
            retry_at: Mutex::default(),
        }
    }

    /// Counts an action of an address. If it cannot be counted in time, it is allowed.
    ///
    /// # Errors
    /// [`RateLimited`] until the minute is over, if there were more than `per_minute` at all nodes.
    pub async fn take(
        &self,
        kind: &str,
        address: IpAddr,
        per_minute: u32,
    ) -> Result<(), RateLimited> {
        let attempt = self.attempt();
        if attempt == Attempt::Skip {
            return Ok(());
        }
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let minute = now.as_secs() / MINUTE.as_secs();
        let name = name(kind, address, minute);
        // Two minutes, since the nodes' clocks may differ.
        let counted = timeout(MAX_WAIT, self.counts.count(&name, 2 * MINUTE)).await;
        let counted = counted.unwrap_or_else(|_| Err(NotCounted("no answer in time".to_owned())));
        self.record(attempt, counted.as_ref().err());
        match counted {
            Ok(count) if count > u64::from(per_minute) => {
                let next = MINUTE.as_secs() * (minute + 1);
                let retry_after = Duration::from_secs(next).saturating_sub(now);
                Err(RateLimited { retry_after })
            }
            _ => Ok(()),
        }
    }

    /// Whether to count an action: each while that works, otherwise one in [`PAUSE`].
    fn attempt(&self) -> Attempt {
        let mut retry_at = self.lock();
        let now = Instant::now();
        match *retry_at {
            None => Attempt::Normal,
            Some(at) if now < at => Attempt::Skip,
            Some(_) => {
                *retry_at = Some(now + PAUSE);
                Attempt::Retry
            }
        }
    }

    /// Begins a pause, or ends it if it was tried again. Calls that were begun before the pause change nothing.
    fn record(&self, attempt: Attempt, failure: Option<&NotCounted>) {
        let mut retry_at = self.lock();
        match (attempt, failure) {
            (Attempt::Normal, Some(reason)) if retry_at.is_none() => {
                *retry_at = Some(Instant::now() + PAUSE);
                drop(retry_at);
                tracing::warn!(
                    %reason,
                    "uploads and messages of an address are not counted over all nodes; each node counts for itself"
                );
            }
            (Attempt::Retry, None) => {
                *retry_at = None;
                drop(retry_at);
                tracing::info!(
                    "uploads and messages of an address are counted over all nodes again"
                );
            }
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.retry_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an action is counted over all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// Not at all: counting has failed a moment ago.
    Skip,
    /// As long as it works.
    Normal,
    /// To learn whether it works again.
    Retry,
}

/// A name of fixed length that does not show the address.
fn name(kind: &str, address: IpAddr, minute: u64) -> String {
    let hash = Sha256::digest(format!("{kind} {address} {minute}"));
    let first = hash.first_chunk().copied().unwrap_or_default();
    format!("{:032x}", u128::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::future::pending;
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const OTHER_CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
    const WORKS: u8 = 0;
    const FAILS: u8 = 1;
    const HANGS: u8 = 2;

    #[derive(Default)]
    struct Counts {
        mode: AtomicU8,
        calls: AtomicUsize,
        values: Mutex<HashMap<String, u64>>,
    }

    #[async_trait]
    impl SharedCounts for Counts {
        async fn count(&self, name: &str, _: Duration) -> Result<u64, NotCounted> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            match self.mode.load(Ordering::Relaxed) {
                WORKS => {
                    let mut values = self.values.lock().unwrap();
                    let value = values.entry(name.to_owned()).or_default();
                    *value += 1;
                    Ok(*value)
                }
                FAILS => Err(NotCounted("broken".to_owned())),
                _ => pending().await,
            }
        }
    }

    fn minute() -> u64 {
        SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 60
    }

    #[tokio::test]
    async fn two_nodes_allow_together_what_one_does() {
        // Once more if the minute has ended meanwhile.
        loop {
            let start = minute();
            let counts = Arc::new(Counts::default());
            let nodes = [(); 2].map(|()| SharedRates::new(Arc::<Counts>::clone(&counts)));
            let mut allowed = 0;
            for _ in 0..5 {
                for node in &nodes {
                    allowed += usize::from(node.take("posts", CLIENT, 4).await.is_ok());
                }
            }
            let refused = nodes[0].take("posts", CLIENT, 4).await;
            let others = nodes[0].take("posts", OTHER_CLIENT, 4).await;
            let other_kind = nodes[0].take("uploads", CLIENT, 4).await;
            if minute() == start {
                assert_eq!(allowed, 4);
                let wait = refused.unwrap_err().retry_after;
                assert!(wait <= MINUTE, "{wait:?}");
                assert_eq!((others, other_kind), (Ok(()), Ok(())));
                return;
            }
        }
    }

    #[tokio::test]
    async fn what_cannot_be_counted_is_allowed_and_one_action_in_a_while_tries_again() {
        for mode in [FAILS, HANGS] {
            let counts = Arc::new(Counts::default());
            let calls = || counts.calls.load(Ordering::Relaxed);
            counts.mode.store(mode, Ordering::Relaxed);
            let node = SharedRates::new(Arc::<Counts>::clone(&counts));
            let pause_is_over = || *node.lock() = Some(Instant::now());
            let ten = async || {
                let actions = (0..10).map(|_| node.take("posts", CLIENT, 1_000));
                join_all(actions).await.into_iter().for_each(Result::unwrap);
            };
            node.take("posts", CLIENT, 1_000).await.unwrap();
            ten().await;
            assert_eq!(calls(), 1);
            pause_is_over();
            ten().await;
            assert_eq!(calls(), 2);
            counts.mode.store(WORKS, Ordering::Relaxed);
            pause_is_over();
            node.take("posts", CLIENT, 1_000).await.unwrap();
            ten().await;
            assert_eq!(calls(), 13);
        }
    }
}
