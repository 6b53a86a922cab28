//! How often one address may do something: a bucket that holds a minute's worth and refills steadily.

mod misses;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio_util::sync::CancellationToken;

pub use self::misses::{MissLimit, Misses};
use crate::address::ClientAddress;
use crate::problem::ApiError;

/// How often addresses whose bucket is full again are forgotten. What is kept between is at most one small entry per
/// address that was active in the last two minutes.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// One kind of action, limited per address.
pub struct RateLimit {
    /// None when there is no limit.
    buckets: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl RateLimit {
    /// `per_minute` actions in a minute, as many at once; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        let quota = NonZeroU32::new(per_minute).map(Quota::per_minute);
        Self {
            buckets: quota.map(RateLimiter::keyed),
        }
    }

    /// Takes one action of the address, as it is counted (`ClientAddress::counted`).
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] and when to come back.
    pub fn take(&self, address: IpAddr) -> Result<(), ApiError> {
        let Some(buckets) = &self.buckets else {
            return Ok(());
        };
        buckets
            .check_key(&address)
            .map_err(|refused| ApiError::TooManyRequests {
                retry_after: refused.wait_time_from(DefaultClock::default().now()),
            })
    }

    /// Takes up to so many further actions of the address for what an earlier one has cost, as far as they are left.
    pub fn spend(&self, address: IpAddr, actions: u64) {
        if let Some(buckets) = &self.buckets {
            let left = |_: &u64| buckets.check_key(&address).is_ok();
            (0..actions).take_while(left).for_each(drop);
        }
    }

    fn forget_idle(&self) {
        if let Some(buckets) = &self.buckets {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
    }
}

/// What is limited on this node.
pub struct RateLimits {
    /// Uploads.
    pub uploads: RateLimit,
    /// Messages.
    pub messages: RateLimit,
    /// Requests for uploads that are not there.
    pub misses: Arc<MissLimit>,
}

impl RateLimits {
    /// The misses of one client.
    pub fn misses_of(&self, client: ClientAddress) -> Misses {
        Misses::new(Arc::clone(&self.misses), client.counted())
    }

    /// Forgets idle addresses from time to time, until the node stops.
    pub async fn keep_small(&self, stopping: CancellationToken) {
        let mut ticks = tokio::time::interval(FORGET_EVERY);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            self.uploads.forget_idle();
            self.messages.forget_idle();
            self.misses.forget_idle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_burst_of_a_minutes_worth_is_fine_and_one_more_is_told_when_to_come_back() {
        let limit = RateLimit::new(3);
        for _ in 0..3 {
            limit.take(HERE).unwrap();
        }
        let Err(ApiError::TooManyRequests { retry_after }) = limit.take(HERE) else {
            panic!("the fourth was let through");
        };
        assert!(retry_after <= Duration::from_secs(20), "{retry_after:?}");
        limit.take(THERE).unwrap();
    }

    #[test]
    fn what_an_action_cost_later_is_taken_as_far_as_there_is_something_left() {
        let limit = RateLimit::new(10);
        limit.take(HERE).unwrap();
        limit.spend(HERE, 8);
        limit.take(HERE).unwrap();
        limit.take(THERE).unwrap();
        limit.spend(THERE, u64::MAX);
        assert!(limit.take(HERE).is_err());
        assert!(limit.take(THERE).is_err());
    }

    #[test]
    fn zero_is_no_limit() {
        let limit = RateLimit::new(0);
        for _ in 0..10_000 {
            limit.take(HERE).unwrap();
        }
    }

    #[test]
    fn busy_addresses_are_remembered_when_idle_ones_are_forgotten() {
        let limit = RateLimit::new(1);
        limit.take(HERE).unwrap();
        limit.forget_idle();
        assert!(limit.take(HERE).is_err());
    }
}
