use std::sync::Arc;

use app::model::{Seq, UploadId};
use quick_cache::sync::Cache;

use crate::store::Appended;

/// The most heads that are cached. The least used ones are evicted and read again.
const MAX_CACHED: usize = 16_384;

/// Caches the heads of conversations that this process has appended to. No other process writes to the database, so the
/// last committed number is the head. Clones share the cache.
#[derive(Clone)]
pub(super) struct Heads(Arc<Cache<UploadId, Seq>>);

impl Default for Heads {
    fn default() -> Self {
        Self(Arc::new(Cache::new(MAX_CACHED)))
    }
}

impl Heads {
    /// Records a commit. Called by the writer thread only, after each commit and before its caller is answered: another
    /// thread might record an older head.
    pub fn record(&self, upload: UploadId, appended: &[Appended]) {
        let newest = appended.iter().rev().find_map(|one| match one {
            Appended::New(message) => Some(message.seq),
            Appended::Known(_) => None,
        });
        if let Some(head) = newest {
            self.0.insert(upload, head);
        }
    }

    /// Returns the head if it is cached.
    pub fn get(&self, upload: UploadId) -> Option<Seq> {
        self.0.get(&upload)
    }
}
