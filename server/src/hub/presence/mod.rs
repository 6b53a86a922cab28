//! Who watches an upload, on all nodes together.
//!
//! Each node tells the others how many sockets watch an upload there and who they are (a [`Digest`]), and adds up what
//! it was told. Nothing is stored: a digest that is not repeated expires. What is here has no input or output; the
//! caller passes the time and does what [`Presence::take_due`] returns.

mod digest;
mod people;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use app::model::Viewer;
use tokio::time::Instant;

pub(super) use self::digest::Digest;
use self::people::LocalViewers;
pub(super) use self::people::Viewers;

/// The number of other nodes whose digests are kept for a topic.
const MAX_NODES: usize = 64;

/// The shortest time between two events about one topic.
const EVENT_INTERVAL: Duration = Duration::from_secs(2);
/// The shortest time between two digests of a node about one topic. Together with [`EVENT_INTERVAL`] it is the longest
/// time until a change is seen at another node.
const DIGEST_INTERVAL: Duration = Duration::from_millis(250);
/// How long a change waits for others, so that those who come together are one event.
const SETTLE_TIME: Duration = Duration::from_millis(200);
/// How long a change waits for others after somebody has left, who often comes back at once, as when a page is loaded
/// again.
const LEAVE_SETTLE_TIME: Duration = Duration::from_secs(1);
/// How long a node that opens a topic waits before it asks the others, so that its first viewer's name is known.
const HELLO_DELAY: Duration = Duration::from_millis(20);
/// How long the answers to that are spread over.
const ANSWER_SPREAD: Duration = Duration::from_millis(100);
/// How long a node that opens a topic waits for the others' answers before its first event.
const OPENING_TIME: Duration = Duration::from_millis(500);
/// How long the questions about all topics are spread over after an interruption.
const REPAIR_SPREAD: Duration = Duration::from_secs(5);
/// How often a digest is repeated while other nodes have viewers too.
const REPEAT_INTERVAL: Duration = Duration::from_secs(15);
/// How often a digest is repeated while no other node is known: the first digests of two nodes may have been lost.
const LONELY_REPEAT_INTERVAL: Duration = Duration::from_secs(30);
/// When a digest that was not repeated expires. Two may be late, or one lost.
const EXPIRY: Duration = Duration::from_secs(40);
/// How often a node says that its last viewer of a topic is gone, where other nodes have viewers: if they missed it,
/// they would count that viewer until the digest expires.
const FAREWELLS: usize = 4;
/// The pause between two of these.
const FAREWELL_INTERVAL: Duration = Duration::from_secs(5);
/// How long after a change the sockets are told once more, since a frame may be dropped.
const EVENT_REPEAT_DELAY: Duration = Duration::from_secs(15);
/// The pause before a digest that could not be published is published again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Who watches an upload, as far as this node knows.
#[derive(Default)]
pub(super) struct Presence {
    /// Whether the topic is subscribed and has viewers here.
    is_open: bool,
    /// Who watches here.
    local: LocalViewers,
    /// What the other nodes said last. None of them has a count of 0.
    others: Vec<Other>,
    /// What the sockets were told last.
    told: Option<Viewers>,
    /// When they may be told again.
    earliest_event: Option<Instant>,
    published_at: Option<Instant>,
    /// How often the other nodes are still to be told that the last viewer has left.
    farewells: usize,
    /// Whether the next digest asks for those of the others.
    asks: bool,
    /// When to publish a digest, if that is due.
    digest_at: Option<Instant>,
    /// When to see whether there is something new for the sockets.
    event_at: Option<Instant>,
    /// When to tell the sockets once more.
    event_repeat_at: Option<Instant>,
    /// Whether that is due.
    repeats_event: bool,
    /// The members whose `watch` was answered since the last event, by their slots.
    newcomers: BTreeSet<usize>,
    /// The time under which the topic is in the [`Schedule`](super::schedule::Schedule).
    pub scheduled: Option<Instant>,
}

/// Another node's digest.
struct Other {
    node: u64,
    viewers: Viewers,
    heard_at: Instant,
}

/// What has to be done now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// To be published; the caller knows the node.
    pub digest: Option<(Viewers, bool)>,
    pub event: Option<Event>,
}

/// What to tell the sockets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Something has changed, or is told once more.
    ToAll(Viewers),
    /// Nothing has changed for others than these slots' members.
    To(BTreeSet<usize>, Viewers),
}

impl Presence {
    /// Records that the topic is subscribed.
    pub fn open(&mut self, now: Instant) {
        self.is_open = true;
        self.others.clear();
        self.farewells = 0;
        self.digest_at = None;
        self.ask(now + HELLO_DELAY);
        self.earliest_event = Some(now + OPENING_TIME);
        self.plan_event(now, SETTLE_TIME);
    }

    /// Records that the last viewer has left. Until nothing is due any more, the other nodes are to be told so.
    pub fn close(&mut self, now: Instant) {
        *self = Self {
            farewells: if self.is_shared() { FAREWELLS } else { 1 },
            others: std::mem::take(&mut self.others),
            // Or who comes and goes all the time would cause a frame each time.
            published_at: self.published_at,
            scheduled: self.scheduled,
            ..Self::default()
        };
        self.plan_digest(now);
    }

    /// Records that frames may have been lost. `random` is a random fraction.
    pub fn on_repaired(&mut self, now: Instant, random: f64) {
        if self.is_open {
            self.ask(now + REPAIR_SPREAD.mul_f64(random));
        }
    }

    /// Records that a socket has joined.
    pub fn on_joined(&mut self, now: Instant) {
        self.on_changed(now, SETTLE_TIME);
    }

    /// Records that the socket of this viewer has left.
    pub fn on_left(&mut self, viewer: Option<&Arc<Viewer>>, now: Instant) {
        self.local.remove(viewer);
        self.on_changed(now, LEAVE_SETTLE_TIME);
    }

    /// Records that a member's `watch` was answered.
    pub fn on_watched(&mut self, slot: usize, now: Instant) {
        if self.is_open {
            self.newcomers.insert(slot);
            self.plan_event(now, SETTLE_TIME);
        }
    }

    /// Replaces what a member says about itself. The caller keeps it with the member.
    pub fn rename(&mut self, from: Option<&Arc<Viewer>>, to: Option<&Arc<Viewer>>, now: Instant) {
        if from != to {
            self.local.add(to);
            self.local.remove(from);
            self.on_changed(now, SETTLE_TIME);
        }
    }

    /// Handles another node's digest. `random` is a random fraction.
    ///
    /// # Errors
    /// The reason why it is refused, for the log.
    pub fn on_digest(
        &mut self,
        digest: Digest,
        now: Instant,
        random: f64,
    ) -> Result<(), &'static str> {
        if !self.is_open {
            return Ok(());
        }
        if digest.hello {
            self.plan_digest(now + ANSWER_SPREAD.mul_f64(random));
        }
        let known = self.others.iter().position(|it| it.node == digest.node);
        let before = known.map(|index| self.others.swap_remove(index).viewers);
        let before = before.unwrap_or_default();
        let viewers = Viewers {
            count: digest.count,
            people: digest.people,
        };
        if viewers.count > 0 && self.others.len() >= MAX_NODES {
            return Err("too many nodes have viewers");
        }
        if viewers.count < before.count {
            self.plan_event(now, LEAVE_SETTLE_TIME);
        } else if viewers != before {
            self.plan_event(now, SETTLE_TIME);
        }
        if viewers.count > 0 {
            self.others.push(Other {
                node: digest.node,
                viewers,
                heard_at: now,
            });
        }
        Ok(())
    }

    /// Whether other nodes have viewers too, or had some when the last one left here.
    pub fn is_shared(&self) -> bool {
        !self.others.is_empty()
    }

    /// Has a digest published again after a failure.
    pub fn on_publish_failed(&mut self, asked: bool, now: Instant) {
        if self.is_open {
            self.asks |= asked;
            self.plan_digest(now + RETRY_DELAY);
        }
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Instant> {
        let planned = [
            self.digest_at,
            self.event_at,
            self.event_repeat_at,
            self.repeat_at(),
        ];
        let expires = self.others.iter().map(|other| other.heard_at + EXPIRY);
        let expires = expires.filter(|_| self.is_open);
        planned.into_iter().flatten().chain(expires).min()
    }

    /// Returns what has to be done now, and counts it as done. `sockets` is the number of this node's sockets.
    pub fn take_due(&mut self, sockets: usize, now: Instant) -> Due {
        let sockets = if self.is_open { sockets } else { 0 };
        let is_due = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        self.forget_silent_nodes(now);
        let repeats = self.repeat_at().is_some_and(|at| at <= now);
        let mut due = Due::default();
        if is_due(&mut self.digest_at) || repeats {
            self.published_at = Some(now);
            due.digest = Some((self.local.list(sockets), std::mem::take(&mut self.asks)));
            if !self.is_open {
                self.farewells = self.farewells.saturating_sub(1);
                self.digest_at = (self.farewells > 0).then(|| now + FAREWELL_INTERVAL);
            }
        }
        if is_due(&mut self.event_repeat_at) {
            self.repeats_event = true;
            self.plan_event(now, Duration::ZERO);
        }
        if is_due(&mut self.event_at) {
            due.event = self.take_event(sockets, now);
        }
        due
    }

    fn forget_silent_nodes(&mut self, now: Instant) {
        let known = self.others.len();
        self.others.retain(|other| other.heard_at + EXPIRY > now);
        if self.is_open && self.others.len() < known {
            self.plan_event(now, Duration::ZERO);
        }
    }

    fn take_event(&mut self, sockets: usize, now: Instant) -> Option<Event> {
        let local = self.local.list(sockets);
        let others = self.others.iter().map(|other| &other.viewers);
        let viewers = Viewers::of_all(others.chain([&local]));
        let newcomers = std::mem::take(&mut self.newcomers);
        let is_changed = self.told.as_ref() != Some(&viewers);
        let is_repeated = std::mem::take(&mut self.repeats_event);
        if !is_changed && !is_repeated && newcomers.is_empty() {
            return None;
        }
        if is_changed {
            self.event_repeat_at = Some(now + EVENT_REPEAT_DELAY);
        }
        self.earliest_event = Some(now + EVENT_INTERVAL);
        self.told = Some(viewers.clone());
        Some(if is_changed || is_repeated {
            Event::ToAll(viewers)
        } else {
            Event::To(newcomers, viewers)
        })
    }

    fn on_changed(&mut self, now: Instant, settle_time: Duration) {
        if self.is_open {
            self.plan_digest(now);
            self.plan_event(now, settle_time);
        }
    }

    /// Asks the other nodes for their digests, not before `at`.
    fn ask(&mut self, at: Instant) {
        self.asks = true;
        self.plan_digest(at);
    }

    fn plan_digest(&mut self, at: Instant) {
        let earliest = self.published_at.map(|last| last + DIGEST_INTERVAL);
        plan(&mut self.digest_at, earliest.map_or(at, |it| it.max(at)));
    }

    fn plan_event(&mut self, now: Instant, settle_time: Duration) {
        let at = now + settle_time;
        plan(
            &mut self.event_at,
            self.earliest_event.map_or(at, |it| it.max(at)),
        );
    }

    fn repeat_at(&self) -> Option<Instant> {
        let interval = if self.is_shared() {
            REPEAT_INTERVAL
        } else {
            LONELY_REPEAT_INTERVAL
        };
        let last = self.published_at.filter(|_| self.is_open);
        last.map(|last| last + interval)
    }
}

/// Moves a planned time forward, or plans it.
fn plan(planned: &mut Option<Instant>, at: Instant) {
    *planned = Some(planned.map_or(at, |planned| planned.min(at)));
}

#[cfg(test)]
mod tests;
