//! When which topic has to be looked at. One queue for all topics, because a timer for each would cost more than most
//! rooms.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use app::model::UploadId;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The topics by the time at which they are due. Bounded by the watched topics and those just left.
#[derive(Default)]
pub(super) struct Schedule {
    queue: Mutex<BTreeSet<(Instant, UploadId)>>,
    /// Notified when another topic is the next one.
    changed: Notify,
}

impl Schedule {
    /// Moves a topic from one time to another.
    pub(super) fn set(&self, topic: UploadId, from: Option<Instant>, to: Option<Instant>) {
        let mut queue = self.queue();
        if let Some(from) = from {
            queue.remove(&(from, topic));
        }
        if let Some(to) = to {
            queue.insert((to, topic));
            if queue.first() == Some(&(to, topic)) {
                self.changed.notify_one();
            }
        }
    }

    /// Waits until topics are due, and takes at most `max` of them.
    pub(super) async fn next(&self, max: usize) -> Vec<UploadId> {
        loop {
            let (topics, next) = self.take(max);
            if !topics.is_empty() {
                return topics;
            }
            let next = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = next => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Takes the topics that are due, and returns the time of the next one.
    fn take(&self, max: usize) -> (Vec<UploadId>, Option<Instant>) {
        let mut queue = self.queue();
        let (now, mut topics) = (Instant::now(), Vec::new());
        while topics.len() < max
            && let Some((due, topic)) = queue.first().copied().filter(|(due, _)| *due <= now)
        {
            queue.remove(&(due, topic));
            topics.push(topic);
        }
        (topics, queue.first().map(|(due, _)| *due))
    }

    fn queue(&self) -> MutexGuard<'_, BTreeSet<(Instant, UploadId)>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
