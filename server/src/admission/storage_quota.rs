//! The storage that the quota and the disk leave for uploads. What is stored and what is free are read from time to
//! time; in between the node counts its own uploads, those under way included.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;

/// The quota or the disk leaves too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no storage left for it")]
pub struct StorageFull;

/// How much uploads may take, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct StorageLimits {
    /// Of all uploads at all nodes together; 0: no limit.
    pub max_stored: u64,
    /// What they leave free of the disk.
    pub min_free: u64,
}

/// The storage for uploads at a node. Clones share it.
#[derive(Clone)]
pub struct StorageQuota(Arc<Inner>);

struct Inner {
    limits: StorageLimits,
    /// Changed under its lock, which is never held for long.
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What all uploads take.
    stored: ByteCount,
    /// What is free on the disk.
    free: ByteCount,
    /// Reserved for uploads under way.
    reserved: u64,
    /// While uploads are refused: the least that was. Only the beginning and the end of that are logged.
    refused: Option<u64>,
}

/// A number of bytes as it was read last.
#[derive(Debug, Default)]
struct ByteCount {
    read: Option<u64>,
    /// The bytes of uploads that have ended since the last reading began: it may not contain them.
    ended: u64,
}

impl ByteCount {
    fn set(&mut self, read: Option<u64>, ended_before: u64) {
        if read.is_some() {
            self.read = read;
            // Readings of one number never overlap: one task makes them.
            self.ended = self.ended.saturating_sub(ended_before);
        }
    }
}

/// A reading that is under way.
#[derive(Debug)]
pub struct Reading {
    /// Uploads that ended before it are contained in it.
    ended_before: u64,
}

impl StorageQuota {
    /// Makes one for these limits. Nothing is known of what is stored and free yet.
    pub fn new(limits: StorageLimits) -> Self {
        let state = watch::Sender::default();
        Self(Arc::new(Inner { limits, state }))
    }

    /// Whether what is stored is limited.
    pub fn has_quota(&self) -> bool {
        self.0.limits.max_stored > 0
    }

    /// Begins to read what is stored; [`Self::set_stored`] ends it.
    pub fn begin_stored(&self) -> Reading {
        let ended_before = self.0.state.borrow().stored.ended;
        Reading { ended_before }
    }

    /// Records what all uploads take; `None` if that could not be read.
    pub fn set_stored(&self, reading: Reading, bytes: Option<u64>) {
        self.0.state.send_modify(|state| {
            state.stored.set(bytes, reading.ended_before);
            self.0.check_refusals(state);
        });
    }

    /// Begins to read what is free; [`Self::set_free`] ends it.
    pub fn begin_free(&self) -> Reading {
        let ended_before = self.0.state.borrow().free.ended;
        Reading { ended_before }
    }

    /// Records what is free on the disk; `None` if that could not be read.
    pub fn set_free(&self, reading: Reading, bytes: Option<u64>) {
        self.0.state.send_modify(|state| {
            state.free.set(bytes, reading.ended_before);
            self.0.check_refusals(state);
        });
    }

    /// Waits until what is stored is known, if there is a limit on it: after the start of a node that takes a moment.
    pub async fn known(&self) {
        let mut state = self.0.state.subscribe();
        let is_unlimited = self.0.limits.max_stored == 0;
        // Fails only if there is no sender any more.
        let known = state.wait_for(|state| is_unlimited || state.stored.read.is_some());
        drop(known.await);
    }

    /// Checks whether this would fit. It is not reserved: whoever only announces an upload takes nothing from others.
    ///
    /// # Errors
    /// [`StorageFull`].
    pub fn check(&self, bytes: u64) -> Result<(), StorageFull> {
        self.reserve(bytes).map(drop)
    }

    /// Reserves storage for an upload.
    ///
    /// # Errors
    /// [`StorageFull`].
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, StorageFull> {
        let mut reservation = Reservation {
            quota: self.clone(),
            bytes: 0,
        };
        reservation.grow_to(bytes)?;
        Ok(reservation)
    }

    /// Returns what all uploads take, with those that have ended since that was read.
    pub fn stored(&self) -> Option<u64> {
        let state = self.0.state.borrow();
        Some(state.stored.read?.saturating_add(state.stored.ended))
    }

    /// Returns what further uploads may take; `None` if nothing limits that.
    pub fn left(&self) -> Option<u64> {
        self.0.left(&self.0.state.borrow())
    }
}

impl Inner {
    fn left(&self, state: &State) -> Option<u64> {
        let StorageLimits {
            max_stored,
            min_free,
        } = self.limits;
        let quota = (max_stored > 0).then(|| {
            // While it is not known, nothing fits.
            let stored = state.stored.read.unwrap_or(u64::MAX);
            max_stored.saturating_sub(stored.saturating_add(state.stored.ended))
        });
        // A file system that does not tell what is free limits nothing.
        let disk = state.free.read.map(|free| {
            let ended = state.free.ended;
            free.saturating_sub(min_free).saturating_sub(ended)
        });
        let left = quota.into_iter().chain(disk).min()?;
        Some(left.saturating_sub(state.reserved))
    }

    /// Records that this much was refused. Smaller uploads may fit meanwhile, which does not end it.
    fn record_refusal(state: &mut State, bytes: u64) {
        if state.refused.is_none() {
            tracing::warn!(
                stored = state.stored.read,
                free = state.free.read,
                "uploads are refused: there is no storage left for them"
            );
        }
        state.refused = Some(state.refused.map_or(bytes, |least| least.min(bytes)));
    }

    /// After a reading: uploads are not refused any more if what was refused would fit now.
    fn check_refusals(&self, state: &mut State) {
        let fits = |bytes| self.left(state).is_none_or(|left| bytes <= left);
        if state.refused.is_some_and(fits) {
            state.refused = None;
            tracing::info!("there is storage for uploads again");
        }
    }
}

/// Storage that is reserved for an upload under way, until it is dropped or has ended.
pub struct Reservation {
    quota: StorageQuota,
    bytes: u64,
}

impl Reservation {
    /// Reserves more, unless it has as much.
    ///
    /// # Errors
    /// [`StorageFull`]; it keeps what it has.
    pub fn grow_to(&mut self, bytes: u64) -> Result<(), StorageFull> {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let inner = &self.quota.0;
        let mut outcome = Ok(());
        inner.state.send_if_modified(|state| {
            let fits = inner.left(state).is_none_or(|left| more <= left);
            if fits {
                state.reserved += more;
                self.bytes = bytes;
            } else {
                outcome = Err(StorageFull);
                Inner::record_refusal(state, bytes);
            }
            // Nobody waits for this.
            false
        });
        outcome
    }

    /// Ends it: from now on the upload takes this much.
    pub fn end(self, bytes: u64) {
        self.quota.0.state.send_if_modified(|state| {
            state.stored.ended += bytes;
            state.free.ended += bytes;
            false
        });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.quota.0.state.send_if_modified(|state| {
            state.reserved -= self.bytes;
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(max_stored: u64, min_free: u64) -> StorageQuota {
        StorageQuota::new(StorageLimits {
            max_stored,
            min_free,
        })
    }

    fn stores(quota: &StorageQuota, bytes: u64) {
        quota.set_stored(quota.begin_stored(), Some(bytes));
    }

    fn has_free(quota: &StorageQuota, bytes: u64) {
        quota.set_free(quota.begin_free(), Some(bytes));
    }

    #[test]
    fn uploads_under_way_and_those_that_have_ended_count() {
        let quota = quota(100, 0);
        stores(&quota, 40);
        let first = quota.reserve(30).unwrap();
        let mut second = quota.reserve(20).unwrap();
        assert_eq!(quota.left(), Some(10));
        assert_eq!(quota.reserve(11).err(), Some(StorageFull));
        assert_eq!(second.grow_to(31), Err(StorageFull));
        second.grow_to(30).unwrap();
        assert_eq!(quota.left(), Some(0));
        first.end(25);
        assert_eq!((quota.stored(), quota.left()), (Some(65), Some(5)));
        drop(second);
        assert_eq!(quota.left(), Some(35));
    }

    #[test]
    fn a_reading_contains_what_ended_before_it_began() {
        let quota = quota(100, 0);
        stores(&quota, 0);
        quota.reserve(10).unwrap().end(10);
        let reading = quota.begin_stored();
        quota.reserve(20).unwrap().end(20);
        quota.set_stored(reading, Some(10));
        assert_eq!(quota.left(), Some(70));
        let reading = quota.begin_stored();
        quota.set_stored(reading, None);
        assert_eq!(quota.left(), Some(70), "nothing was read");
        stores(&quota, 30);
        assert_eq!((quota.stored(), quota.left()), (Some(30), Some(70)));
    }

    #[test]
    fn the_disk_limits_what_the_quota_allows() {
        let quota = quota(100, 50);
        stores(&quota, 0);
        assert_eq!(quota.left(), Some(100), "the disk is unknown");
        has_free(&quota, 90);
        assert_eq!(quota.left(), Some(40));
        quota.reserve(30).unwrap().end(30);
        assert_eq!(quota.left(), Some(10));
        has_free(&quota, 20);
        assert_eq!(quota.left(), Some(0));
        assert_eq!(quota.reserve(1).err(), Some(StorageFull));
    }

    /// Returns how many warnings and notices are logged on this thread while `work` runs.
    fn logged(work: impl FnOnce()) -> (usize, usize) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = Arc::new(file.reopen().unwrap());
        let subscriber = tracing_subscriber::fmt().with_writer(writer);
        tracing::subscriber::with_default(subscriber.finish(), work);
        let log = std::fs::read_to_string(file.path()).unwrap();
        (log.matches("WARN").count(), log.matches("INFO").count())
    }

    #[test]
    fn it_is_logged_once_that_uploads_are_refused_and_once_that_they_are_not_any_more() {
        let quota = quota(100, 0);
        stores(&quota, 90);
        let small_and_large = || {
            for _ in 0..3 {
                quota.check(5).unwrap();
                quota.check(20).unwrap_err();
                stores(&quota, 85);
            }
        };
        assert_eq!(logged(small_and_large), (1, 0));
        let emptied = || {
            for _ in 0..3 {
                stores(&quota, 80);
                quota.check(20).unwrap();
            }
        };
        assert_eq!(logged(emptied), (0, 1));
        stores(&quota, 90);
        assert_eq!(logged(small_and_large), (1, 0));
    }

    #[test]
    fn an_upload_that_grows_until_it_does_not_fit_is_refused_as_a_whole() {
        let quota = quota(100, 0);
        stores(&quota, 0);
        let grows = || {
            for _ in 0..3 {
                let mut upload = quota.reserve(90).unwrap();
                upload.grow_to(110).unwrap_err();
                drop(upload);
                stores(&quota, 0);
            }
        };
        assert_eq!(logged(grows), (1, 0));
    }

    #[tokio::test]
    async fn nothing_fits_under_a_quota_until_it_is_known_what_is_stored() {
        let quota = quota(100, 0);
        assert_eq!(quota.reserve(1).err(), Some(StorageFull));
        let waiting = tokio::spawn({
            let quota = quota.clone();
            async move { quota.known().await }
        });
        stores(&quota, 0);
        waiting.await.unwrap();
        assert!(quota.reserve(1).is_ok());
    }

    #[tokio::test]
    async fn without_limits_everything_fits_at_once() {
        let quota = quota(0, 0);
        quota.known().await;
        assert_eq!(quota.left(), None);
        assert!(quota.reserve(u64::MAX / 2).is_ok());
    }
}
