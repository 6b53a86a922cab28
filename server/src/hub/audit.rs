//! Asks the store how far the watched conversations have come, and tells the sockets that watch them: after every break
//! in the flow of frames, now and then in case a node died between storing a message and publishing it, and when a frame
//! named a number that does not follow what is known.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::frames::head_frame;
use super::recent::MAX_RECENT;
use super::topics::Hub;
use crate::broker::Topic;
use crate::store::{Select, StoreError};

/// How many topics are looked at in one interval. With more of them watched, each has to wait its turn.
const MAX_AUDITED: usize = 500;
/// How many of them at once.
const CONCURRENT: usize = 8;
/// How long to wait before topics are asked for again that the store did not answer after a break.
const RETRY: Duration = Duration::from_secs(1);

/// How long frames may be out of order, as those of several nodes are, before the store is asked. With [`CLAIMS_AT_ONCE`] it
/// bounds the reads: 256 a second, and 4 of one topic.
const CLAIM_PAUSE: Duration = Duration::from_millis(250);
/// How many topics are asked for in one turn; the others wait for the next.
const CLAIMS_AT_ONCE: usize = 64;

/// Looks at topics, without end.
pub(super) async fn run(hub: Hub) {
    let every = hub.0.limits.pace.announce_every;
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    // Bounded by what is watched.
    let mut after_break: Vec<Topic> = Vec::new();
    loop {
        tokio::select! {
            () = hub.0.repaired.notified() => after_break = hub.0.rooms.topics(),
            () = sleep(RETRY), if !after_break.is_empty() => {}
            _ = ticks.tick(), if hub.0.rooms.era().flows() => {
                let turn = next_turn(hub.0.rooms.topics(), last);
                last = turn.last().copied();
                look_at(&hub, turn, false).await;
                continue;
            }
        }
        after_break = look_at(&hub, after_break, true).await;
    }
}

/// Asks the store about what was claimed, without end.
pub(super) async fn run_claims(hub: Hub) {
    let rooms = &hub.0.rooms;
    loop {
        rooms.claims.more.notified().await;
        for topics in rooms.claims.take().chunks(CLAIMS_AT_ONCE) {
            sleep(CLAIM_PAUSE).await;
            let claimed = topics.iter().copied();
            let claimed = claimed.filter(|topic| rooms.is_claimed(*topic)).collect();
            let unanswered = look_at(&hub, claimed, false).await;
            for topic in unanswered {
                rooms.claims.add(topic);
            }
        }
    }
}

/// The topics that follow the last one that was looked at.
fn next_turn(topics: Vec<Topic>, last: Option<Topic>) -> Vec<Topic> {
    let topics = BTreeSet::from_iter(topics);
    let (later, earlier): (Vec<_>, Vec<_>) = topics
        .into_iter()
        .partition(|topic| last.is_none_or(|last| *topic > last));
    later.into_iter().chain(earlier).take(MAX_AUDITED).collect()
}

/// Looks at topics, a few at a time; those that the store did not answer.
async fn look_at(hub: &Hub, topics: Vec<Topic>, after_break: bool) -> Vec<Topic> {
    let unanswered = stream::iter(topics)
        .map(async |topic| {
            let looked = look(hub, topic, after_break).await;
            matches!(looked, Err(StoreError::Unavailable | StoreError::Moved)).then_some(topic)
        })
        .buffer_unordered(CONCURRENT)
        .filter_map(std::future::ready);
    unanswered.collect().await
}

/// Learns what the store has of a conversation, and tells its sockets if that is news, or if it is the first thing that
/// they hear after a break.
async fn look(hub: &Hub, topic: Topic, after_break: bool) -> Result<(), StoreError> {
    let rooms = &hub.0.rooms;
    let era = rooms.era();
    let Some(before) = rooms.progress(topic) else {
        return Ok(());
    };
    let page = hub
        .0
        .store
        .messages(topic, Select::After(before.head), MAX_RECENT)
        .await?;
    rooms.learn(topic, &page, era);
    if rooms.refute(topic, before, page.head) {
        hub.0.refusals.note("the store has no such head");
        // Answers may have been made of what was forged.
        hub.0.answers.clear();
    }
    if after_break || page.head > before.told {
        hub.emit_local(topic, &head_frame(topic, page.head));
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
            Topic::from_bytes(bytes)
        };
        let all: Vec<_> = (0..1_200).rev().map(topic).collect();
        let mut last = None;
        for expected in [(0..500), (500..1_000)] {
            let turn = next_turn(all.clone(), last);
            assert_eq!(turn, expected.map(topic).collect::<Vec<_>>());
            last = turn.last().copied();
        }
        let turn = next_turn(all, last);
        assert_eq!(
            (turn.len(), turn[199], turn[200]),
            (500, topic(1_199), topic(0))
        );
    }
}
