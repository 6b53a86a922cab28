use std::sync::Arc;

use app::model::{Seq, UploadId};
use quick_cache::sync::Cache;

use crate::store::Appended;

/// Conversations whose heads are known. Of more, those that are asked for least are forgotten, and read again.
const MAX_KNOWN: usize = 16_384;

/// How far the conversations have come that this process added to. Nobody else writes to the database, so that what was
/// committed last is the head. Clones share it.
#[derive(Clone)]
pub(super) struct Heads(Arc<Cache<UploadId, Seq>>);

impl Default for Heads {
    fn default() -> Self {
        Self(Arc::new(Cache::new(MAX_KNOWN)))
    }
}

impl Heads {
    /// For the thread that writes alone: after each commit, before anyone is told of it. A head that was read by another
    /// thread might be an older one by the time it is noted.
    pub fn committed(&self, upload: UploadId, appended: &[Appended]) {
        let newest = appended.iter().rev().find_map(|one| match one {
            Appended::New(message) => Some(message.seq),
            Appended::Known(_) => None,
        });
        if let Some(head) = newest {
            self.0.insert(upload, head);
        }
    }

    /// The head, if it is known.
    pub fn of(&self, upload: UploadId) -> Option<Seq> {
        self.0.get(&upload)
    }
}
