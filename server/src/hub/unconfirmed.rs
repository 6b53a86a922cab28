//! Topics for which a frame carried a sequence number beyond the next one. Either a frame was lost, or the frame was
//! not published by a node, so the store has to confirm the number.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::broker::Topic;

/// The topics whose numbers have not been confirmed since the last check. Bounded by the watched topics.
#[derive(Default)]
pub(super) struct UnconfirmedTopics {
    topics: Mutex<BTreeSet<Topic>>,
    pub(super) added: Notify,
}

impl UnconfirmedTopics {
    pub(super) fn add(&self, topic: Topic) {
        if self.topics().insert(topic) {
            self.added.notify_one();
        }
    }

    pub(super) fn take(&self) -> Vec<Topic> {
        std::mem::take(&mut *self.topics()).into_iter().collect()
    }

    fn topics(&self) -> MutexGuard<'_, BTreeSet<Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
