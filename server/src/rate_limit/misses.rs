//! How often one address may ask for uploads that are not there: links are open to whoever has them, so nobody may find
//! one by trying.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use app::model::UploadRef;

use crate::problem::ApiError;

const MINUTE: Duration = Duration::from_mins(1);
/// The longest that an address has to wait, however many tries it made at once. Without this bound a minute of a
/// thousand parallel tries would shut its neighbours out for hours.
const LONGEST: Duration = Duration::from_mins(10);

/// Counts misses per address: as many at once as a minute may have, refilled steadily.
///
/// An address that has used them up is refused before the store is asked, whether or not there is such an upload: an
/// answer would tell which. Long ids go on being answered, so that open pages go on: nobody guesses 96 bits.
///
/// A miss is known only when the store has answered, which `governor` has no place for: it can take, but not look.
pub struct MissLimit {
    /// From one miss to the next; none where there is no limit.
    interval: Option<Duration>,
    /// When each address will have paid for its misses. What is past counts as none.
    paid: Mutex<HashMap<IpAddr, Instant>>,
}

impl MissLimit {
    /// `per_minute` misses in a minute, as many at once; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        Self {
            interval: MINUTE.checked_div(per_minute),
            paid: Mutex::default(),
        }
    }

    /// Whether the address may ask for this upload.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] and when to come back.
    pub fn check(&self, address: IpAddr, name: UploadRef) -> Result<(), ApiError> {
        let (Some(interval), UploadRef::Short(_)) = (self.interval, name) else {
            return Ok(());
        };
        let paid = self.lock().get(&address).copied();
        let debt = paid.map_or(Duration::ZERO, |paid| paid - Instant::now());
        match (debt + interval).checked_sub(MINUTE) {
            Some(retry_after) if !retry_after.is_zero() => {
                Err(ApiError::TooManyRequests { retry_after })
            }
            _ => Ok(()),
        }
    }

    /// What the address asked for was not there.
    pub fn count(&self, address: IpAddr) {
        let Some(interval) = self.interval else {
            return;
        };
        let now = Instant::now();
        let mut table = self.lock();
        let paid = table.entry(address).or_insert(now);
        *paid = ((*paid).max(now) + interval).min(now + MINUTE + LONGEST);
    }

    pub(super) fn forget_idle(&self) {
        let now = Instant::now();
        let mut paid = self.lock();
        paid.retain(|_, paid| *paid > now);
        paid.shrink_to_fit();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One client's misses.
#[derive(Clone)]
pub struct Misses {
    limit: Arc<MissLimit>,
    address: IpAddr,
}

impl Misses {
    /// Those of this address, as it is counted (`ClientAddress::counted`).
    pub fn new(limit: Arc<MissLimit>, address: IpAddr) -> Self {
        Self { limit, address }
    }

    /// See [`MissLimit::check`].
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`].
    pub fn check(&self, name: UploadRef) -> Result<(), ApiError> {
        self.limit.check(self.address, name)
    }

    /// See [`MissLimit::count`].
    pub fn count(&self) {
        self.limit.count(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn short() -> UploadRef {
        "AAAAAAAA".parse().unwrap()
    }

    fn wait(limit: &MissLimit) -> Duration {
        match limit.check(HERE, short()) {
            Err(ApiError::TooManyRequests { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_minutes_worth_of_misses_is_fine_and_then_every_short_id_has_to_wait() {
        let limit = MissLimit::new(3);
        for _ in 0..3 {
            limit.check(HERE, short()).unwrap();
            limit.count(HERE);
        }
        let wait = wait(&limit);
        assert!(
            wait > Duration::from_secs(19) && wait <= Duration::from_secs(20),
            "{wait:?}"
        );
        limit.check(THERE, short()).unwrap();
        let long = "0123456789abcdef01234567".parse().unwrap();
        limit.check(HERE, long).unwrap();
    }

    #[test]
    fn asking_for_what_is_there_costs_nothing() {
        let limit = MissLimit::new(1);
        for _ in 0..1_000 {
            limit.check(HERE, short()).unwrap();
        }
    }

    #[test]
    fn misses_at_once_are_all_paid_for_but_not_for_hours() {
        let limit = MissLimit::new(60);
        for _ in 0..100 {
            limit.count(HERE);
        }
        assert!(wait(&limit) > Duration::from_secs(39));
        for _ in 0..100_000 {
            limit.count(HERE);
        }
        assert!(wait(&limit) <= LONGEST + Duration::from_secs(1));
    }

    #[test]
    fn zero_is_no_limit_and_whoever_has_paid_is_forgotten() {
        let limit = MissLimit::new(0);
        for _ in 0..10_000 {
            limit.count(HERE);
            limit.check(HERE, short()).unwrap();
        }
        assert!(limit.lock().is_empty());
        let limit = MissLimit::new(1_000_000);
        limit.count(HERE);
        let paid = *limit.lock().get(&HERE).unwrap();
        while Instant::now() <= paid {
            std::thread::yield_now();
        }
        limit.forget_idle();
        assert!(limit.lock().is_empty());
    }
}
