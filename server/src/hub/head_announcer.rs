//! Announces the heads of conversations again, so that a client whose last frames were lost notices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::model::{Seq, UploadId};
use tokio::time::{MissedTickBehavior, interval};

use super::frames::head_frame;
use crate::broker::Broker;

/// How many heads are kept while the broker fails. Those of further conversations are found by the reconciler of each
/// node that has watchers of them.
const MAX_HEADS: usize = 10_000;

/// The heads of the conversations that this node has posted to since the last announcement.
#[derive(Default)]
pub(super) struct HeadAnnouncer(Mutex<BTreeMap<UploadId, Seq>>);

impl HeadAnnouncer {
    /// Records a head to announce.
    pub(super) fn record(&self, topic: UploadId, seq: Seq) {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heads.len() < MAX_HEADS || heads.contains_key(&topic) {
            let head = heads.entry(topic).or_default();
            *head = seq.max(*head);
        }
    }

    fn take(&self) -> BTreeMap<UploadId, Seq> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Publishes the recorded heads at intervals, forever. A head that was not published is kept for the next time.
pub(super) async fn run(
    head_announcer: Arc<HeadAnnouncer>,
    broker: Arc<dyn Broker>,
    every: Duration,
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for (topic, head) in head_announcer.take() {
            let published = broker.publish(topic, head_frame(topic, head)).await;
            if published.is_err() {
                head_announcer.record(topic, head);
            }
        }
    }
}
