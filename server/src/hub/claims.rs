//! Numbers that frames named and that do not follow what is known: the store is asked before they are believed. Either a
//! frame was lost, or whoever published it is no node.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::{Hub, audit};
use crate::broker::Topic;

/// How long frames may be out of order, as those of several nodes are, before the store is asked. With [`AT_ONCE`] it
/// bounds the reads: 256 a second, and 4 of one topic.
const PAUSE: Duration = Duration::from_millis(250);
/// How many topics are asked for in one turn; the others wait for the next.
const AT_ONCE: usize = 64;

/// The topics of which something was claimed since they were looked at last. Bounded by what is watched.
#[derive(Default)]
pub(super) struct Claims {
    topics: Mutex<BTreeSet<Topic>>,
    more: Notify,
}

impl Claims {
    pub(super) fn add(&self, topic: Topic) {
        if self.topics().insert(topic) {
            self.more.notify_one();
        }
    }

    fn take(&self) -> Vec<Topic> {
        std::mem::take(&mut *self.topics()).into_iter().collect()
    }

    fn topics(&self) -> MutexGuard<'_, BTreeSet<Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the store.
pub(super) async fn run(hub: Hub) {
    let rooms = &hub.0.rooms;
    loop {
        rooms.claims.more.notified().await;
        for topics in rooms.claims.take().chunks(AT_ONCE) {
            sleep(PAUSE).await;
            let claimed = topics.iter().copied();
            let claimed = claimed.filter(|topic| rooms.is_claimed(*topic)).collect();
            let unanswered = audit::look_at(&hub, claimed, false).await;
            for topic in unanswered {
                rooms.claims.add(topic);
            }
        }
    }
}
