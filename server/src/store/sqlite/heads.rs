use std::sync::Arc;

use app::model::{Seq, Timestamp, UploadId};
use quick_cache::sync::Cache;

use crate::clock;

/// The most heads that are cached. The least used ones are evicted and read again.
const MAX_CACHED: usize = 16_384;

/// Caches the heads of logs that this process has appended to. No other process writes to the database, so the
/// last committed number is the head. Clones share the cache.
#[derive(Clone)]
pub(super) struct Heads(Arc<Cache<UploadId, Head>>);

/// The head of a log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Its last number.
    pub seq: Seq,
    /// When the upload expires, if it does.
    pub expires_at: Option<Timestamp>,
}

impl Default for Heads {
    fn default() -> Self {
        Self(Arc::new(Cache::new(MAX_CACHED)))
    }
}

impl Heads {
    /// Records a commit. Called by the writer thread only, after each commit and before its caller is answered: another
    /// thread might record an older head.
    pub fn record(&self, upload: UploadId, head: Head) {
        self.0.insert(upload, head);
    }

    /// Forgets an upload that is gone. Called by the writer thread only.
    pub fn forget(&self, upload: UploadId) {
        self.0.remove(&upload);
    }

    /// Returns the head if it is cached and the upload has not expired.
    pub fn get(&self, upload: UploadId) -> Option<Seq> {
        let Head { seq, expires_at } = self.0.get(&upload)?;
        let has_expired = expires_at.is_some_and(|at| at <= clock::now());
        (!has_expired).then_some(seq)
    }
}
