//! Bounds the deletions that are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::model::UploadId;

/// How many deletions may be under way at a node. Each takes about ten calls of the store. One more is refused, and the
/// client tries again later.
pub const MAX_DELETIONS: usize = 64;
/// How many of them may be of one upload and its messages: more than a person deletes before the first one is done.
pub const MAX_DELETIONS_PER_UPLOAD: usize = 16;

/// The deletions under way, by upload. No count is zero. Clones share them.
#[derive(Clone, Default)]
pub(super) struct DeletionSlots(Arc<Mutex<HashMap<UploadId, usize>>>);

/// A deletion under way, until it is dropped.
pub(super) struct DeletionSlot {
    slots: DeletionSlots,
    upload: UploadId,
}

impl DeletionSlots {
    /// Begins a deletion in an upload; `None` if too many are under way.
    pub fn take(&self, upload: UploadId) -> Option<DeletionSlot> {
        let mut counts = self.lock();
        let of_upload = counts.get(&upload).copied().unwrap_or_default();
        if of_upload >= MAX_DELETIONS_PER_UPLOAD || counts.values().sum::<usize>() >= MAX_DELETIONS
        {
            return None;
        }
        counts.insert(upload, of_upload + 1);
        let slots = self.clone();
        Some(DeletionSlot { slots, upload })
    }

    /// How many deletions are under way.
    pub fn taken(&self) -> usize {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DeletionSlot {
    fn drop(&mut self) {
        let mut counts = self.slots.lock();
        if let Some(count) = counts.get_mut(&self.upload) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.upload);
            }
        }
    }
}
