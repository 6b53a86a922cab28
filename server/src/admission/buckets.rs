//! A bucket for each client address, which holds a minute's worth of actions and refills steadily.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

const MINUTE: Duration = Duration::from_mins(1);
/// The longest that an address has to wait, whatever was charged to it: without this bound a minute of a thousand
/// parallel requests would shut its neighbours out for hours.
pub(super) const LONGEST: Duration = Duration::from_mins(10);

/// An address has done something as often as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too often; the next time is allowed in {retry_after:?}")]
pub struct TooOften {
    /// When the next time is allowed.
    pub retry_after: Duration,
}

/// The buckets. What an action costs may be known only later, so that a bucket can be overdrawn; `governor`, which can
/// take but neither look nor overdraw, has no place for that.
pub(super) struct Buckets {
    /// From one action to the next; none where there is no limit.
    interval: Option<Duration>,
    /// When the bucket of each address will be full again. What is past counts as full.
    full_at: Mutex<HashMap<IpAddr, Instant>>,
}

impl Buckets {
    /// `per_minute` actions in a minute, as many at once; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        Self {
            interval: MINUTE.checked_div(per_minute),
            full_at: Mutex::default(),
        }
    }

    /// Whether one more action is left, without taking it.
    ///
    /// # Errors
    /// [`TooOften`] and when to come back.
    pub fn check(&self, address: IpAddr) -> Result<(), TooOften> {
        let Some(interval) = self.interval else {
            return Ok(());
        };
        let full_at = self.lock().get(&address).copied();
        affords(full_at, interval)
    }

    /// Takes an action.
    ///
    /// # Errors
    /// As [`Buckets::check`]; nothing is taken then.
    pub fn take(&self, address: IpAddr) -> Result<(), TooOften> {
        let Some(interval) = self.interval else {
            return Ok(());
        };
        let mut table = self.lock();
        affords(table.get(&address).copied(), interval)?;
        charge(&mut table, address, interval);
        Ok(())
    }

    /// Takes so many actions, whether or not they are left.
    pub fn charge(&self, address: IpAddr, actions: u32) {
        if let Some(cost) = self.interval.and_then(|it| it.checked_mul(actions)) {
            charge(&mut self.lock(), address, cost);
        }
    }

    /// Forgets those that are full.
    pub fn forget_idle(&self) {
        let now = Instant::now();
        let mut table = self.lock();
        table.retain(|_, full_at| *full_at > now);
        table.shrink_to_fit();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn affords(full_at: Option<Instant>, interval: Duration) -> Result<(), TooOften> {
    let missing = full_at.map_or(Duration::ZERO, |at| {
        at.saturating_duration_since(Instant::now())
    });
    let retry_after = (missing + interval).saturating_sub(MINUTE);
    if retry_after.is_zero() {
        return Ok(());
    }
    Err(TooOften { retry_after })
}

fn charge(table: &mut HashMap<IpAddr, Instant>, address: IpAddr, cost: Duration) {
    let now = Instant::now();
    let full_at = table.entry(address).or_insert(now);
    *full_at = ((*full_at).max(now) + cost).min(now + MINUTE + LONGEST);
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn whatever_is_charged_is_paid_for_but_not_for_hours() {
        let buckets = Buckets::new(60);
        buckets.charge(HERE, 100);
        let Err(TooOften { retry_after }) = buckets.take(HERE) else {
            panic!("an overdrawn bucket gave something");
        };
        assert!(retry_after > Duration::from_secs(39), "{retry_after:?}");
        buckets.charge(HERE, 1_000_000);
        let Err(TooOften { retry_after }) = buckets.check(HERE) else {
            panic!("an overdrawn bucket gave something");
        };
        assert!(
            retry_after <= LONGEST + Duration::from_secs(1),
            "{retry_after:?}"
        );
    }

    #[test]
    fn a_bucket_that_is_full_again_is_forgotten_and_a_busy_one_is_not() {
        let buckets = Buckets::new(1_000_000);
        buckets.charge(HERE, 1);
        let full_at = *buckets.lock().get(&HERE).unwrap();
        while Instant::now() <= full_at {
            std::thread::yield_now();
        }
        buckets.forget_idle();
        assert!(buckets.lock().is_empty());
        buckets.charge(HERE, 1_000_000);
        buckets.forget_idle();
        assert!(buckets.lock().contains_key(&HERE));
    }
}
