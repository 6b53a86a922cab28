//! Topics about which the store has to be asked: a frame carried a sequence number beyond the next one, since one was
//! lost or this one was not published by a node, or their upload may be gone.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use app::model::UploadId;
use tokio::sync::Notify;

/// The topics about which the store has not been asked since. Bounded by the topics that were watched
/// since they were taken last.
#[derive(Default)]
pub(super) struct UnconfirmedTopics {
    topics: Mutex<BTreeSet<UploadId>>,
    pub(super) added: Notify,
}

impl UnconfirmedTopics {
    pub(super) fn add(&self, topic: UploadId) {
        if self.topics().insert(topic) {
            self.added.notify_one();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.topics().len()
    }

    pub(super) fn take(&self) -> Vec<UploadId> {
        std::mem::take(&mut *self.topics()).into_iter().collect()
    }

    fn topics(&self) -> MutexGuard<'_, BTreeSet<UploadId>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
