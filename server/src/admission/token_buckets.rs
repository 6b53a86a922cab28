//! Token buckets per client address, which hold the actions of one minute and refill steadily.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

const MINUTE: Duration = Duration::from_mins(1);
/// The longest time that an address has to wait, whatever was charged to it. Without it, the requests of one minute
/// could block other clients at the same address for hours.
pub(super) const MAX_WAIT: Duration = Duration::from_mins(10);

/// An address has used up its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the rate limit is exceeded; retry after {retry_after:?}")]
pub struct RateLimited {
    /// The time until the next action is allowed.
    pub retry_after: Duration,
}

/// The buckets. A bucket can be overdrawn, because the cost of an action may be known only afterwards; `governor`
/// supports neither that nor checking without taking.
pub(super) struct TokenBuckets {
    /// The interval between two actions; `None` if there is no limit.
    interval: Option<Duration>,
    /// When the bucket of each address will be full again; times in the past count as full.
    full_at: Mutex<HashMap<IpAddr, Instant>>,
}

impl TokenBuckets {
    /// Allows `per_minute` actions in a minute, also at once; 0 means no limit.
    pub fn new(per_minute: u32) -> Self {
        Self {
            interval: MINUTE.checked_div(per_minute),
            full_at: Mutex::default(),
        }
    }

    /// Checks whether an action is allowed, without taking it.
    ///
    /// # Errors
    /// [`RateLimited`] with the time to wait.
    pub fn check(&self, address: IpAddr) -> Result<(), RateLimited> {
        let Some(interval) = self.interval else {
            return Ok(());
        };
        let full_at = self.lock().get(&address).copied();
        check_balance(full_at, interval)
    }

    /// Takes an action.
    ///
    /// # Errors
    /// As [`TokenBuckets::check`]; nothing is taken then.
    pub fn take(&self, address: IpAddr) -> Result<(), RateLimited> {
        let Some(interval) = self.interval else {
            return Ok(());
        };
        let mut table = self.lock();
        check_balance(table.get(&address).copied(), interval)?;
        charge(&mut table, address, interval);
        Ok(())
    }

    /// Takes actions even if fewer are left.
    pub fn charge(&self, address: IpAddr, actions: u32) {
        if let Some(cost) = self.interval.and_then(|it| it.checked_mul(actions)) {
            charge(&mut self.lock(), address, cost);
        }
    }

    /// Removes full buckets.
    pub fn remove_full(&self) {
        let now = Instant::now();
        let mut table = self.lock();
        table.retain(|_, full_at| *full_at > now);
        table.shrink_to_fit();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_balance(full_at: Option<Instant>, interval: Duration) -> Result<(), RateLimited> {
    let missing = full_at.map_or(Duration::ZERO, |at| {
        at.saturating_duration_since(Instant::now())
    });
    let retry_after = (missing + interval).saturating_sub(MINUTE);
    if retry_after.is_zero() {
        return Ok(());
    }
    Err(RateLimited { retry_after })
}

fn charge(table: &mut HashMap<IpAddr, Instant>, address: IpAddr, cost: Duration) {
    let now = Instant::now();
    let full_at = table.entry(address).or_insert(now);
    *full_at = ((*full_at).max(now) + cost).min(now + MINUTE + MAX_WAIT);
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn an_overdrawn_bucket_blocks_for_a_bounded_time() {
        let buckets = TokenBuckets::new(60);
        buckets.charge(CLIENT, 100);
        let Err(RateLimited { retry_after }) = buckets.take(CLIENT) else {
            panic!("an overdrawn bucket allowed an action");
        };
        assert!(retry_after > Duration::from_secs(39), "{retry_after:?}");
        buckets.charge(CLIENT, 1_000_000);
        let Err(RateLimited { retry_after }) = buckets.check(CLIENT) else {
            panic!("an overdrawn bucket allowed an action");
        };
        assert!(
            retry_after <= MAX_WAIT + Duration::from_secs(1),
            "{retry_after:?}"
        );
    }

    #[test]
    fn only_full_buckets_are_removed() {
        let buckets = TokenBuckets::new(1_000_000);
        buckets.charge(CLIENT, 1);
        let full_at = *buckets.lock().get(&CLIENT).unwrap();
        while Instant::now() <= full_at {
            std::thread::yield_now();
        }
        buckets.remove_full();
        assert!(buckets.lock().is_empty());
        buckets.charge(CLIENT, 1_000_000);
        buckets.remove_full();
        assert!(buckets.lock().contains_key(&CLIENT));
    }
}
