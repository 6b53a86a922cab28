//! Numbers that frames named and that do not follow what is known: the store is asked before they are believed. Either a
//! frame was lost, or whoever published it is no node.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::broker::Topic;

/// The topics of which something was claimed since they were looked at last. Bounded by what is watched.
#[derive(Default)]
pub(super) struct Claims {
    topics: Mutex<BTreeSet<Topic>>,
    pub(super) more: Notify,
}

impl Claims {
    pub(super) fn add(&self, topic: Topic) {
        if self.topics().insert(topic) {
            self.more.notify_one();
        }
    }

    pub(super) fn take(&self) -> Vec<Topic> {
        std::mem::take(&mut *self.topics()).into_iter().collect()
    }

    fn topics(&self) -> MutexGuard<'_, BTreeSet<Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
