//! How often one address may do something: a bucket that holds a minute's worth and refills steadily.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::buckets::{Buckets, TooOften};
use super::misses::{MissLimit, Misses};

/// How often addresses whose bucket is full again are forgotten. What is kept between is at most one small entry per
/// address that was active in the last two minutes.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// One kind of action, limited per address.
pub struct RateLimit(Buckets);

impl RateLimit {
    /// `per_minute` actions in a minute, as many at once; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        Self(Buckets::new(per_minute))
    }

    /// Takes one action of the address, as it is counted (`ClientAddress::counted`).
    ///
    /// # Errors
    /// [`TooOften`] and when to come back.
    pub fn take(&self, address: IpAddr) -> Result<(), TooOften> {
        self.0.take(address)
    }

    /// Takes so many further actions of the address for what an earlier one has cost, whether or not they are left: who
    /// does much at once pays afterwards.
    pub fn charge(&self, address: IpAddr, actions: u32) {
        self.0.charge(address, actions);
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
    /// The misses of one client, by its address as it is counted (`ClientAddress::counted`).
    pub fn misses_of(&self, address: IpAddr) -> Misses {
        Misses::new(Arc::clone(&self.misses), address)
    }

    /// Forgets idle addresses from time to time, until the node stops.
    pub async fn keep_small(&self, stopping: CancellationToken) {
        let mut ticks = tokio::time::interval(FORGET_EVERY);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            self.uploads.0.forget_idle();
            self.messages.0.forget_idle();
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
        let Err(TooOften { retry_after }) = limit.take(HERE) else {
            panic!("the fourth was let through");
        };
        assert!(retry_after <= Duration::from_secs(20), "{retry_after:?}");
        limit.take(THERE).unwrap();
    }

    #[test]
    fn what_actions_at_once_cost_later_is_paid_before_the_next_one() {
        let limit = RateLimit::new(10);
        for _ in 0..10 {
            limit.take(HERE).unwrap();
        }
        // Each took ten seconds of something.
        for _ in 0..10 {
            limit.charge(HERE, 10);
        }
        let Err(TooOften { retry_after }) = limit.take(HERE) else {
            panic!("nothing was paid");
        };
        assert!(retry_after > Duration::from_mins(9), "{retry_after:?}");
        limit.take(THERE).unwrap();
    }

    #[test]
    fn zero_is_no_limit() {
        let limit = RateLimit::new(0);
        for _ in 0..10_000 {
            limit.take(HERE).unwrap();
        }
    }
}
