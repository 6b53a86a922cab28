//! Limits the lookups of unknown uploads per address. Everyone with a link has access, so links must not be guessable.

use std::net::IpAddr;
use std::sync::Arc;

use app::model::UploadRef;

use super::token_buckets::{RateLimited, TokenBuckets};

/// Limits misses, which are lookups of short ids without an upload, per address.
///
/// An address that has used them up is refused before the store is asked, whether or not there is such an upload,
/// because the answer would reveal it. Long ids are neither counted nor refused, so that open pages keep working: 96
/// bits cannot be guessed.
pub struct MissLimiter(TokenBuckets);

impl MissLimiter {
    /// Allows `per_minute` misses in a minute, also at once; 0 means no limit.
    pub fn new(per_minute: u32) -> Self {
        Self(TokenBuckets::new(per_minute))
    }

    /// Checks whether the address may look up this upload.
    ///
    /// # Errors
    /// [`RateLimited`] with the time to wait.
    pub fn check(&self, address: IpAddr, upload: UploadRef) -> Result<(), RateLimited> {
        match upload {
            UploadRef::Short(_) => self.0.check(address),
            UploadRef::Id(_) => Ok(()),
        }
    }

    /// Records that the upload did not exist.
    pub fn record(&self, address: IpAddr, upload: UploadRef) {
        if let UploadRef::Short(_) = upload {
            self.0.charge(address, 1);
        }
    }

    pub(super) fn remove_full(&self) {
        self.0.remove_full();
    }
}

/// The misses of one client.
#[derive(Clone)]
pub struct ClientMisses {
    limit: Arc<MissLimiter>,
    address: IpAddr,
}

impl ClientMisses {
    /// Creates the misses of an address.
    pub fn new(limit: Arc<MissLimiter>, address: IpAddr) -> Self {
        Self { limit, address }
    }

    /// See [`MissLimiter::check`].
    ///
    /// # Errors
    /// [`RateLimited`] with the time to wait.
    pub fn check(&self, upload: UploadRef) -> Result<(), RateLimited> {
        self.limit.check(self.address, upload)
    }

    /// See [`MissLimiter::record`].
    pub fn record(&self, upload: UploadRef) {
        self.limit.record(self.address, upload);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER_CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn short() -> UploadRef {
        "AAAAAAAA".parse().unwrap()
    }

    fn wait(limit: &MissLimiter) -> Duration {
        match limit.check(CLIENT, short()) {
            Err(RateLimited { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn after_the_misses_of_one_minute_every_short_id_has_to_wait() {
        let limit = MissLimiter::new(3);
        for _ in 0..3 {
            limit.check(CLIENT, short()).unwrap();
            limit.record(CLIENT, short());
        }
        let wait = wait(&limit);
        assert!(
            wait > Duration::from_secs(19) && wait <= Duration::from_secs(20),
            "{wait:?}"
        );
        limit.check(OTHER_CLIENT, short()).unwrap();
        let long = "0123456789abcdef01234567".parse().unwrap();
        limit.check(CLIENT, long).unwrap();
    }

    #[test]
    fn lookups_of_existing_uploads_are_not_limited() {
        let limit = MissLimiter::new(1);
        for _ in 0..1_000 {
            limit.check(CLIENT, short()).unwrap();
        }
    }

    #[test]
    fn lookups_of_unknown_long_ids_are_not_counted() {
        let limit = MissLimiter::new(1);
        let long = "0123456789abcdef01234567".parse().unwrap();
        for _ in 0..1_000 {
            limit.record(CLIENT, long);
        }
        limit.check(CLIENT, short()).unwrap();
    }
}
