//! Compares the heads of the watched logs with the store, and tells the sockets of new ones, and of uploads that are
//! gone: after every interruption, at intervals in case a node died between storing a message and publishing it, when a
//! frame carried a number beyond the next one, and when an upload expires.

use std::collections::BTreeSet;
use std::time::Duration;

use app::model::UploadId;
use futures::{StreamExt, stream};
use tokio::task::consume_budget;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::frames::head_frame;
use super::handle::Hub;
use super::recent::MAX_RECENT;
use crate::store::{Select, StoreError};

/// The number of topics that are checked in one interval. When more are watched, they take turns.
const MAX_RECONCILED: usize = 500;
/// The number of concurrent reads.
const MAX_CONCURRENT_READS: usize = 8;
/// The pause before reads that failed after an interruption are repeated. They are repeated until they succeed.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// How long frames may be out of order, as those of several nodes can be, before the store is asked. With
/// [`CONFIRMATION_BATCH`] it bounds the reads: 256 a second, and 4 a second of one topic.
const CONFIRMATION_DELAY: Duration = Duration::from_millis(250);
/// The number of topics that are confirmed together; the others wait for the next batch.
const CONFIRMATION_BATCH: usize = 64;

/// Checks topics after interruptions and at intervals, forever.
pub(super) async fn run(hub: Hub) {
    let every = hub.0.limits.intervals.announce_every;
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    // Topics still to check after an interruption; bounded by the watched topics.
    let mut after_break: Vec<UploadId> = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = hub.0.repaired.notified() => after_break = hub.0.rooms.topics(),
            () = sleep(RETRY_DELAY), if !after_break.is_empty() => {}
            _ = ticks.tick(), if hub.0.rooms.epoch().is_connected() => {
                let batch = next_batch(hub.0.rooms.topics(), last);
                last = batch.last().copied();
                check_all(&hub, batch, false).await;
                continue;
            }
        }
        after_break = check_all(&hub, after_break, true).await;
    }
}

/// Asks the store about the topics whose numbers or whose upload are in doubt, forever.
pub(super) async fn run_confirmations(hub: Hub) {
    let rooms = &hub.0.rooms;
    loop {
        rooms.unconfirmed_topics.added.notified().await;
        for topics in rooms.unconfirmed_topics.take().chunks(CONFIRMATION_BATCH) {
            sleep(CONFIRMATION_DELAY).await;
            let unconfirmed = topics.iter().copied();
            let unconfirmed = unconfirmed
                .filter(|topic| rooms.has_unconfirmed(*topic))
                .collect();
            for topic in check_all(&hub, unconfirmed, false).await {
                rooms.unconfirmed_topics.add(topic);
            }
        }
    }
}

/// Has the store asked about the watched uploads when they expire, forever. One that has not expired by the clock of
/// the store after all is noticed at an interval.
pub(super) async fn run_expiries(hub: Hub) {
    let rooms = &hub.0.rooms;
    loop {
        for topic in rooms.expiries.next(CONFIRMATION_BATCH).await {
            rooms.doubt_existence(topic);
        }
        consume_budget().await;
    }
}

/// Returns the topics that follow the last one that was checked.
fn next_batch(topics: Vec<UploadId>, last: Option<UploadId>) -> Vec<UploadId> {
    let topics = BTreeSet::from_iter(topics);
    let (later, earlier): (Vec<_>, Vec<_>) = topics
        .into_iter()
        .partition(|topic| last.is_none_or(|last| *topic > last));
    later
        .into_iter()
        .chain(earlier)
        .take(MAX_RECONCILED)
        .collect()
}

/// Checks topics, a few at a time, and returns those whose read failed.
async fn check_all(hub: &Hub, topics: Vec<UploadId>, after_break: bool) -> Vec<UploadId> {
    let failed = stream::iter(topics)
        .map(async |topic| {
            let checked = check(hub, topic, after_break).await;
            matches!(checked, Err(StoreError::Unavailable | StoreError::Moved)).then_some(topic)
        })
        .buffer_unordered(MAX_CONCURRENT_READS)
        .filter_map(std::future::ready);
    failed.collect().await
}

/// Reads a conversation's head from the store, and announces it to the sockets if it is new to them. After an
/// interruption it is announced in any case, which reports that it is over.
async fn check(hub: &Hub, topic: UploadId, after_break: bool) -> Result<(), StoreError> {
    let rooms = &hub.0.rooms;
    let (Some(begun), Some(before)) = (rooms.begin_read(topic), rooms.progress(topic)) else {
        return Ok(());
    };
    // With the last known entry, which shows whether the store has the same history.
    let mut first = before.head;
    if let Some(conflict) = rooms.conflict(topic) {
        hub.0.refused_frames.record("two entries have one number");
        first = first.min(conflict);
    }
    let select = Select::After(first.previous());
    let is_doubted = rooms.is_doubted(topic);
    let page = match hub.0.store.entries(topic, select, MAX_RECENT + 1).await {
        Err(StoreError::Gone) => {
            hub.on_gone(topic);
            return Ok(());
        }
        page => page?,
    };
    if is_doubted {
        rooms.confirm_existence(topic);
    }
    hub.merge_page(topic, &page, begun);
    if rooms.discard_unstored(topic, before, page.head) {
        hub.0.refused_frames.record("the store has no such head");
        // Cached answers may contain what was forged.
        hub.0.answer_cache.clear();
    }
    if page.head < before.head {
        hub.on_other_history(topic, page.head);
    } else if after_break || page.head > before.announced {
        hub.deliver_local(topic, &head_frame(topic, page.head));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_take_turns() {
        let topic = |n: u16| {
            let mut bytes = [0; 12];
            bytes[..2].copy_from_slice(&n.to_be_bytes());
            UploadId::from_bytes(bytes)
        };
        let all: Vec<_> = (0..1_200).rev().map(topic).collect();
        let mut last = None;
        for expected in [(0..500), (500..1_000)] {
            let batch = next_batch(all.clone(), last);
            assert_eq!(batch, expected.map(topic).collect::<Vec<_>>());
            last = batch.last().copied();
        }
        let batch = next_batch(all, last);
        assert_eq!(
            (batch.len(), batch[199], batch[200]),
            (500, topic(1_199), topic(0))
        );
    }
}
