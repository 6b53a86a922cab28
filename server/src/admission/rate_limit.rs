//! Rate limits per client address.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::misses::{ClientMisses, MissLimiter};
use super::shared_counts::SharedRates;
use super::token_buckets::{RateLimited, TokenBuckets};

/// The interval in which full buckets are removed. Until then the tables have one small entry per address that was
/// active in the last two minutes.
const CLEANUP_INTERVAL: Duration = Duration::from_mins(1);

/// Limits one kind of action per address.
pub struct RateLimiter(TokenBuckets);

impl RateLimiter {
    /// Allows `per_minute` actions in a minute, also at once; 0 means no limit.
    pub fn new(per_minute: u32) -> Self {
        Self(TokenBuckets::new(per_minute))
    }

    /// Takes one action of an address.
    ///
    /// # Errors
    /// [`RateLimited`] with the time to wait.
    pub fn take(&self, address: IpAddr) -> Result<(), RateLimited> {
        self.0.take(address)
    }

    /// Checks whether an action is allowed, without taking it.
    ///
    /// # Errors
    /// [`RateLimited`] with the time to wait.
    pub fn check(&self, address: IpAddr) -> Result<(), RateLimited> {
        self.0.check(address)
    }

    /// Charges further actions to an address for what an earlier one has cost, even if fewer are left.
    pub fn charge(&self, address: IpAddr, actions: u32) {
        self.0.charge(address, actions);
    }
}

/// Limits one kind of action per address, at this node by itself and, if there are counters that the nodes share, at
/// all nodes together.
pub struct SharedRateLimiter {
    own: RateLimiter,
    kind: &'static str,
    per_minute: u32,
    shared: Option<Arc<SharedRates>>,
}

impl SharedRateLimiter {
    /// Allows `per_minute` actions in a minute; 0 means no limit.
    pub fn new(kind: &'static str, per_minute: u32, shared: Option<Arc<SharedRates>>) -> Self {
        Self {
            own: RateLimiter::new(per_minute),
            kind,
            per_minute,
            shared: shared.filter(|_| per_minute > 0),
        }
    }

    /// Takes one action of an address.
    ///
    /// # Errors
    /// [`RateLimited`] with the time to wait.
    pub async fn take(&self, address: IpAddr) -> Result<(), RateLimited> {
        self.own.take(address)?;
        match &self.shared {
            Some(shared) => shared.take(self.kind, address, self.per_minute).await,
            None => Ok(()),
        }
    }

    /// See [`RateLimiter::charge`]; at this node only.
    pub fn charge(&self, address: IpAddr, actions: u32) {
        self.own.charge(address, actions);
    }
}

/// The rate limits of a node.
pub struct RateLimits {
    /// Uploads by client address.
    pub uploads: SharedRateLimiter,
    /// Messages by client address.
    pub messages: SharedRateLimiter,
    /// Smaller pictures that had to be made, by client address.
    pub pictures: RateLimiter,
    /// Wrong admin tokens by client address.
    pub wrong_tokens: RateLimiter,
    /// Lookups of unknown uploads.
    pub misses: Arc<MissLimiter>,
}

impl RateLimits {
    /// The misses of a client, by its address.
    pub fn misses_of(&self, address: IpAddr) -> ClientMisses {
        ClientMisses::new(Arc::clone(&self.misses), address)
    }

    /// Removes full buckets at intervals, until the node stops.
    pub async fn run_cleanup(self: Arc<Self>, stopping: CancellationToken) {
        let mut ticks = tokio::time::interval(CLEANUP_INTERVAL);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            self.uploads.own.0.remove_full();
            self.messages.own.0.remove_full();
            self.pictures.0.remove_full();
            self.wrong_tokens.0.remove_full();
            self.misses.remove_full();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER_CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_burst_of_one_minutes_actions_is_allowed_and_the_next_has_to_wait() {
        let limit = RateLimiter::new(3);
        for _ in 0..3 {
            limit.take(CLIENT).unwrap();
        }
        let Err(RateLimited { retry_after }) = limit.take(CLIENT) else {
            panic!("the fourth was allowed");
        };
        assert!(retry_after <= Duration::from_secs(20), "{retry_after:?}");
        limit.take(OTHER_CLIENT).unwrap();
    }

    #[test]
    fn charged_actions_delay_the_next_one() {
        let limit = RateLimiter::new(10);
        for _ in 0..10 {
            limit.take(CLIENT).unwrap();
        }
        for _ in 0..10 {
            limit.charge(CLIENT, 10);
        }
        let Err(RateLimited { retry_after }) = limit.take(CLIENT) else {
            panic!("it was allowed");
        };
        assert!(retry_after > Duration::from_mins(9), "{retry_after:?}");
        limit.take(OTHER_CLIENT).unwrap();
    }

    #[test]
    fn zero_means_no_limit() {
        let limit = RateLimiter::new(0);
        for _ in 0..10_000 {
            limit.take(CLIENT).unwrap();
        }
    }
}
