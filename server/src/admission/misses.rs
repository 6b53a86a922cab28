//! How often one address may ask for uploads that are not there: links are open to whoever has them, so nobody may find
//! one by trying.

use std::net::IpAddr;
use std::sync::Arc;

use app::model::UploadRef;

use super::buckets::{Buckets, TooOften};

/// Counts misses per address: as many at once as a minute may have, refilled steadily.
///
/// An address that has used them up is refused before the store is asked, whether or not there is such an upload: an
/// answer would tell which. Long ids are neither counted nor refused, so that open pages go on: nobody guesses 96 bits.
pub struct MissLimit(Buckets);

impl MissLimit {
    /// `per_minute` misses in a minute, as many at once; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        Self(Buckets::new(per_minute))
    }

    /// Whether the address may ask for this upload.
    ///
    /// # Errors
    /// [`TooOften`] and when to come back.
    pub fn check(&self, address: IpAddr, name: UploadRef) -> Result<(), TooOften> {
        match name {
            UploadRef::Short(_) => self.0.check(address),
            UploadRef::Id(_) => Ok(()),
        }
    }

    /// What the address asked for was not there.
    pub fn count(&self, address: IpAddr, name: UploadRef) {
        if let UploadRef::Short(_) = name {
            self.0.charge(address, 1);
        }
    }

    pub(super) fn forget_idle(&self) {
        self.0.forget_idle();
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
    /// [`TooOften`].
    pub fn check(&self, name: UploadRef) -> Result<(), TooOften> {
        self.limit.check(self.address, name)
    }

    /// See [`MissLimit::count`].
    pub fn count(&self, name: UploadRef) {
        self.limit.count(self.address, name);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn short() -> UploadRef {
        "AAAAAAAA".parse().unwrap()
    }

    fn wait(limit: &MissLimit) -> Duration {
        match limit.check(HERE, short()) {
            Err(TooOften { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_minutes_worth_of_misses_is_fine_and_then_every_short_id_has_to_wait() {
        let limit = MissLimit::new(3);
        for _ in 0..3 {
            limit.check(HERE, short()).unwrap();
            limit.count(HERE, short());
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
    fn long_ids_that_are_not_there_cost_nothing() {
        let limit = MissLimit::new(1);
        let long = "0123456789abcdef01234567".parse().unwrap();
        for _ in 0..1_000 {
            limit.count(HERE, long);
        }
        limit.check(HERE, short()).unwrap();
    }
}
