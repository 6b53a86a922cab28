//! The beacon tells again how far a conversation has come, so that a client whose last frames were lost notices.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::model::Seq;
use tokio::time::{MissedTickBehavior, interval};

use super::frames::head_frame;
use crate::broker::{Broker, Topic};

/// The heads of the conversations that this node posted to since the last beacon. Bounded by what can be posted in
/// that time.
#[derive(Default)]
pub(super) struct Beacon(Mutex<HashMap<Topic, Seq>>);

impl Beacon {
    /// A message was posted.
    pub(super) fn note(&self, topic: Topic, seq: Seq) {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let head = heads.entry(topic).or_default();
        *head = seq.max(*head);
    }

    fn take(&self) -> HashMap<Topic, Seq> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Publishes what was noted, without end. A beacon that the broker refuses is kept for the next time.
pub(super) async fn run(beacon: Arc<Beacon>, broker: Arc<dyn Broker>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for (topic, head) in beacon.take() {
            let published = broker.publish(topic, head_frame(topic, head)).await;
            if published.is_err() {
                beacon.note(topic, head);
            }
        }
    }
}
