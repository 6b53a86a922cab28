//! Who watches an upload, on all nodes together.
//!
//! Each node tells the others how many people watch an upload there and who they are (a [`Digest`]), and adds up what
//! it was told. All sockets with one author tag are one person, and each socket without a tag is another. Nothing is
//! stored: a digest that is not repeated expires. What is here has no input or output; the caller passes the time and
//! does what [`Presence::take_due`] returns.

mod digest;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use app::model::{AuthorTag, Person, Viewer};
use tokio::time::Instant;

pub(super) use self::digest::Digest;
use self::digest::MAX_PEOPLE;
pub(super) use self::schedule::Schedule;

/// The number of other nodes whose digests are kept for a topic.
const MAX_NODES: usize = 64;

/// The shortest time between two events about one topic.
const EVENT_INTERVAL: Duration = Duration::from_secs(2);
/// The shortest time between two digests of a node about one topic. Together with [`EVENT_INTERVAL`] it is the longest
/// time until a change is seen at another node.
const DIGEST_INTERVAL: Duration = Duration::from_millis(250);
/// How long a change waits for others, so that those who come together are one event.
const SETTLE_TIME: Duration = Duration::from_millis(200);
/// The same after somebody has left, who often comes back at once, as when a page is loaded again.
const LEAVE_SETTLE_TIME: Duration = Duration::from_secs(1);
/// How long a node that opens a topic waits before it asks the others, so that its first viewer's name is known.
const HELLO_DELAY: Duration = Duration::from_millis(20);
/// How long their answers are spread over.
const ANSWER_SPREAD: Duration = Duration::from_millis(100);
/// How long it waits for their answers before the first event.
const OPENING_TIME: Duration = Duration::from_millis(500);
/// How long the questions about all topics are spread over after an interruption.
const REPAIR_SPREAD: Duration = Duration::from_secs(5);
/// How often a digest is repeated while other nodes have viewers too.
const REPEAT_INTERVAL: Duration = Duration::from_secs(15);
/// The same while no other node is known: the first digests of two nodes may have been lost.
const LONELY_REPEAT_INTERVAL: Duration = Duration::from_secs(30);
/// When a digest that was not repeated expires. Two may be late, or one lost.
const EXPIRY: Duration = Duration::from_secs(40);
/// The pause before a digest that could not be published is published again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Who watches an upload, as far as this node knows.
#[derive(Default)]
pub(super) struct Presence {
    /// Whether the topic is subscribed and has viewers here.
    is_open: bool,
    /// The number of this node's sockets by what they say about themselves, if they do. Those with a tag come first.
    viewers: BTreeMap<(bool, Arc<Viewer>), usize>,
    /// The number of this node's sockets by tag.
    tags: BTreeMap<AuthorTag, usize>,
    /// What the other nodes said last. None of them has a count of 0.
    others: Vec<Other>,
    /// What the sockets were told last.
    told: Option<Viewers>,
    /// When they may be told again.
    earliest_event: Option<Instant>,
    published_at: Option<Instant>,
    /// Whether the next digest asks for those of the others.
    asks: bool,
    /// When to publish a digest, if that is due.
    digest_at: Option<Instant>,
    /// When to see whether there is something new for the sockets.
    event_at: Option<Instant>,
    /// The members whose `watch` was answered since the last event, by their slots.
    newcomers: BTreeSet<usize>,
    /// The time under which the topic is in the [`Schedule`].
    pub scheduled: Option<Instant>,
}

/// Another node's digest.
struct Other {
    node: u64,
    viewers: Viewers,
    heard_at: Instant,
}

/// The number of people, and the first [`MAX_PEOPLE`] of those who gave a name: those with a tag, each listed once, then
/// those without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Viewers {
    pub count: u32,
    pub people: Vec<Person>,
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
    /// Something has changed.
    ToAll(Viewers),
    /// Nothing has changed for others than these slots' members.
    To(BTreeSet<usize>, Viewers),
}

impl Presence {
    /// Records that the topic is subscribed.
    pub fn open(&mut self, now: Instant) {
        self.is_open = true;
        self.others.clear();
        self.ask(now + HELLO_DELAY);
        self.earliest_event = Some(now + OPENING_TIME);
        self.plan_event(now, SETTLE_TIME);
    }

    /// Records that the last viewer has left.
    pub fn close(&mut self, now: Instant) {
        *self = Self {
            others: std::mem::take(&mut self.others),
            digest_at: Some(now),
            scheduled: self.scheduled,
            ..Self::default()
        };
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
        self.remove(viewer);
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
            self.add(to);
            self.remove(from);
            self.on_changed(now, SETTLE_TIME);
        }
    }

    fn add(&mut self, viewer: Option<&Arc<Viewer>>) {
        if let Some(viewer) = viewer {
            *self.viewers.entry(key(viewer)).or_default() += 1;
            if let Some(tag) = viewer.author {
                *self.tags.entry(tag).or_default() += 1;
            }
        }
    }

    fn remove(&mut self, viewer: Option<&Arc<Viewer>>) {
        if let Some(viewer) = viewer {
            remove_one(&mut self.viewers, &key(viewer));
            if let Some(tag) = &viewer.author {
                remove_one(&mut self.tags, tag);
            }
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
        let planned = [self.digest_at, self.event_at, self.repeat_at()];
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
            due.digest = Some((self.local(sockets), std::mem::take(&mut self.asks)));
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
        let viewers = self.all(sockets);
        let newcomers = std::mem::take(&mut self.newcomers);
        let is_changed = self.told.as_ref() != Some(&viewers);
        if !is_changed && newcomers.is_empty() {
            return None;
        }
        self.earliest_event = Some(now + EVENT_INTERVAL);
        self.told = Some(viewers.clone());
        Some(if is_changed {
            Event::ToAll(viewers)
        } else {
            Event::To(newcomers, viewers)
        })
    }

    /// This node's viewers. `sockets` is the number of its sockets.
    fn local(&self, sockets: usize) -> Viewers {
        let tagged: usize = self.tags.values().sum();
        let count = sockets.saturating_sub(tagged) + self.tags.len();
        let people = self.viewers.keys().filter_map(|(_, viewer)| {
            let name = viewer.name.clone()?;
            let author = viewer.author;
            Some(Person { author, name })
        });
        Viewers {
            count: u32::try_from(count).unwrap_or(u32::MAX),
            people: first_people(people),
        }
    }

    /// The viewers of all nodes. Every node lists the first of its people, so the first of all are among them, and the
    /// result is the same at every node. A person whose sockets are at several nodes counts once if they list it: the
    /// number is exact for as many people as are listed, and may be too large beyond.
    fn all(&self, sockets: usize) -> Viewers {
        let local = self.local(sockets);
        let others = self.others.iter().map(|other| &other.viewers);
        let all = others.chain([&local]);
        let mut people: Vec<_> = all.clone().flat_map(|viewers| &viewers.people).collect();
        people.sort_unstable_by_key(|person| (person.author.is_none(), *person));
        let again = people.windows(2).filter(|pair| is_same(pair[0], pair[1]));
        let again = u32::try_from(again.count()).unwrap_or(u32::MAX);
        let count = all.fold(0_u32, |sum, viewers| sum.saturating_add(viewers.count));
        Viewers {
            count: count.saturating_sub(again),
            people: first_people(people.into_iter().cloned()),
        }
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

/// Those with a tag come first, because others may know them; within a tag, the order is that of names.
fn key(viewer: &Arc<Viewer>) -> (bool, Arc<Viewer>) {
    (viewer.author.is_none(), Arc::clone(viewer))
}

fn remove_one<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// The first of these people, who are sorted. One with several names is listed under the first.
fn first_people(people: impl Iterator<Item = Person>) -> Vec<Person> {
    let mut first: Vec<Person> = Vec::new();
    for person in people {
        match first.last() {
            Some(last) if is_same(last, &person) || *last == person => {}
            _ if first.len() == MAX_PEOPLE => break,
            _ => first.push(person),
        }
    }
    first
}

/// Whether both are known to be the same person.
fn is_same(a: &Person, b: &Person) -> bool {
    a.author.is_some() && a.author == b.author
}

/// Moves a planned time forward, or plans it.
fn plan(planned: &mut Option<Instant>, at: Instant) {
    *planned = Some(planned.map_or(at, |planned| planned.min(at)));
}

#[cfg(test)]
mod tests;
