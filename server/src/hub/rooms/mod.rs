//! Which sockets watch which topic, and the node's subscriptions that follow from it.
//!
//! The first socket that joins a room subscribes the node to the topic, and the last one that leaves unsubscribes it.
//! At most one such transition of a topic runs at a time, in a task of its own. It continues until the subscription is
//! what the room needs by then, so that sockets may join and leave meanwhile.

mod fanout;
mod life;
mod lookup;
mod membership;
mod pending;
pub(super) mod presence;
mod progress;
mod queue_lengths;
mod read_start;
mod watched_upload;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError};

use app::model::{ShortId, UploadId, Viewer};
use slab::Slab;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::life::Life;
pub use self::membership::Membership;
use self::pending::{MemberSnapshot, Pending};
pub(super) use self::read_start::ReadStart;
pub use self::watched_upload::WatchedUpload;
use super::epoch::EpochCounter;
use super::incoming::IncomingEvent;
use super::metrics::HubMetrics;
use super::outbox::Outbox;
use super::presence::Presence;
use super::recent::RecentEntries;
use super::schedule::Schedule;
use super::unconfirmed::UnconfirmedTopics;
use crate::broker::{Broker, BrokerError, Frame};
use crate::panics::stop_on_panic;
use crate::sync::{Mutex, MutexGuard, spawn};
use crate::websocket;

/// The number of locks that the rooms are spread over, so that a busy topic seldom delays another.
const SHARDS: usize = 64;

pub(super) struct Rooms {
    shards: [Mutex<Shard>; SHARDS],
    /// The topics of the rooms by their uploads' short ids.
    topics_by_short_id: Mutex<HashMap<ShortId, UploadId>>,
    epochs: EpochCounter,
    pub(super) unconfirmed_topics: UnconfirmedTopics,
    /// When which topic's presence has to be looked at.
    pub(super) due_presences: Schedule,
    /// When which topic's upload expires.
    pub(super) expiries: Schedule,
    broker: Arc<dyn Broker>,
    metrics: HubMetrics,
    /// The bytes of text that all rooms keep in [`RecentEntries`].
    recent_bytes: Arc<AtomicUsize>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

#[derive(Default)]
struct Shard {
    rooms: BTreeMap<UploadId, Room>,
    /// What the other nodes are still to be told of rooms that were left.
    left: BTreeMap<UploadId, Presence>,
    last_room_id: u64,
}

struct Room {
    id: u64,
    upload: WatchedUpload,
    /// The time under which the topic is in [`Rooms::expiries`].
    expires: Option<Instant>,
    recent: RecentEntries,
    members: Slab<Member>,
    /// The members' outboxes; cleared when one joins or leaves.
    snapshot: Option<MemberSnapshot>,
    pending: Pending,
    presence: Presence,
    subscription: Subscription,
    /// How often the broker has confirmed a subscription.
    confirmations: u64,
    life: Life,
}

struct Member {
    outbox: Arc<Outbox>,
    /// What it says about itself, if it does.
    viewer: Option<Arc<Viewer>>,
}

enum Subscription {
    /// Confirmed by the broker.
    Confirmed,
    /// A transition is running; these wait until the topic is subscribed.
    Changing(Vec<oneshot::Sender<Result<(), BrokerError>>>),
}

/// The next step of a transition.
enum Step {
    Subscribe,
    Unsubscribe,
    Done,
}

impl Rooms {
    /// Creates an empty set of rooms. Once `shutdown` is cancelled, the broker is no longer called.
    pub(super) fn new(
        broker: Arc<dyn Broker>,
        metrics: HubMetrics,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            topics_by_short_id: Mutex::default(),
            epochs: EpochCounter::default(),
            unconfirmed_topics: UnconfirmedTopics::default(),
            due_presences: Schedule::default(),
            expiries: Schedule::default(),
            broker,
            metrics,
            recent_bytes: Arc::default(),
            tasks,
            shutdown,
        }
    }

    pub(super) async fn join(
        self: &Arc<Self>,
        upload: WatchedUpload,
        outbox: Arc<Outbox>,
    ) -> Result<Membership, BrokerError> {
        let (membership, confirmation) = self.add_member(upload, outbox);
        let Some(confirmation) = confirmation else {
            return Ok(membership);
        };
        // If this future is dropped because its socket closes, the member must leave the room.
        let mut guard = LeaveOnDrop {
            rooms: self,
            membership: Some(membership),
        };
        let result = confirmation.await.unwrap_or(Err(BrokerError::UNAVAILABLE));
        let membership = guard.membership.take().expect("taken only here");
        match result {
            Ok(()) => Ok(membership),
            Err(error) => {
                self.leave(membership);
                Err(error)
            }
        }
    }

    /// Adds a member, and returns a receiver if the subscription has yet to be confirmed.
    fn add_member(
        self: &Arc<Self>,
        upload: WatchedUpload,
        outbox: Arc<Outbox>,
    ) -> (
        Membership,
        Option<oneshot::Receiver<Result<(), BrokerError>>>,
    ) {
        let WatchedUpload {
            topic, short_id, ..
        } = upload;
        let mut shard = self.shard(topic);
        let shard = &mut *shard;
        let room = shard.rooms.entry(topic).or_insert_with(|| {
            shard.last_room_id += 1;
            self.spawn_transition(topic, false);
            lock(&self.topics_by_short_id).insert(short_id, topic);
            let expires = upload.expires();
            self.expiries.set(topic, None, expires);
            Room {
                id: shard.last_room_id,
                upload,
                expires,
                recent: RecentEntries::new(Arc::clone(&self.recent_bytes)),
                members: Slab::new(),
                snapshot: None,
                pending: Pending::default(),
                presence: shard.left.remove(&topic).unwrap_or_default(),
                subscription: Subscription::Changing(Vec::new()),
                confirmations: 0,
                life: Life::Exists,
            }
        });
        let membership = Membership {
            topic,
            short_id,
            slot: room.members.insert(Member {
                outbox,
                viewer: None,
            }),
            room_id: room.id,
        };
        room.snapshot = None;
        if room.life == Life::Gone {
            // The store has it again, as after the restore of a backup.
            room.life = Life::Exists;
        }
        room.presence.on_joined(Instant::now());
        self.schedule(topic, &mut room.presence);
        let confirmation = match &mut room.subscription {
            Subscription::Confirmed => None,
            Subscription::Changing(waiting) => {
                let (sender, confirmation) = oneshot::channel();
                waiting.push(sender);
                Some(confirmation)
            }
        };
        (membership, confirmation)
    }

    pub(super) fn leave(self: &Arc<Self>, membership: Membership) {
        let mut shard = self.shard(membership.topic);
        let Some(room) = shard
            .rooms
            .get_mut(&membership.topic)
            .filter(|room| room.id == membership.room_id)
        else {
            return;
        };
        let now = Instant::now();
        if let Some(member) = room.members.try_remove(membership.slot) {
            room.presence.on_left(member.viewer.as_ref(), now);
        }
        room.snapshot = None;
        if room.members.is_empty() && matches!(room.subscription, Subscription::Confirmed) {
            room.subscription = Subscription::Changing(Vec::new());
            room.presence.close(now);
            self.spawn_transition(membership.topic, true);
        }
        self.schedule(membership.topic, &mut room.presence);
    }

    /// Records what a frame says about the topic, and passes it on to all members unless the store has to confirm it
    /// first.
    pub(super) fn deliver(self: &Arc<Self>, topic: UploadId, frame: &Frame, event: IncomingEvent) {
        if let Some(room) = self.shard(topic).rooms.get_mut(&topic)
            && room.life != Life::Gone
        {
            let is_passed_on = match event {
                IncomingEvent::Appended(entry) => room.recent.on_appended(entry),
                IncomingEvent::Head(head) => room.recent.on_head_advanced(head),
                IncomingEvent::Gone => {
                    room.life = Life::Doubted;
                    false
                }
                IncomingEvent::Touched => true,
            };
            if room.has_unconfirmed() {
                self.unconfirmed_topics.add(topic);
            }
            if is_passed_on {
                self.push(topic, room, frame);
            }
        }
    }

    fn spawn_transition(self: &Arc<Self>, topic: UploadId, subscribed: bool) {
        let shutdown = self.shutdown.clone();
        let transition = Arc::clone(self).run_transition(topic, subscribed);
        let transition = stop_on_panic(shutdown.clone(), transition);
        spawn(&self.tasks, async move {
            shutdown.run_until_cancelled(transition).await
        });
    }

    /// Subscribes or unsubscribes the node until that is what the room needs. One such task runs per topic.
    async fn run_transition(self: Arc<Self>, topic: UploadId, subscribed: bool) {
        let mut subscribed = Ok(subscribed);
        loop {
            match self.next_step(topic, subscribed) {
                Step::Subscribe => subscribed = self.broker.subscribe(topic).await.map(|()| true),
                Step::Unsubscribe => {
                    if let Err(error) = self.broker.unsubscribe(topic).await {
                        tracing::warn!(%error, "the broker did not confirm an unsubscribe");
                    }
                    subscribed = Ok(false);
                }
                Step::Done => return,
            }
        }
    }

    fn next_step(&self, topic: UploadId, subscribed: Result<bool, BrokerError>) -> Step {
        let mut shard = self.shard(topic);
        let Some(room) = shard.rooms.get_mut(&topic) else {
            return Step::Done;
        };
        match (subscribed, room.members.is_empty()) {
            (Ok(true), false) => {
                // If they joined while it was unsubscribed, frames were missed since.
                room.recent.invalidate();
                room.confirm();
                room.presence.open(Instant::now());
                self.schedule(topic, &mut room.presence);
                Step::Done
            }
            (Ok(true), true) => Step::Unsubscribe,
            (Ok(false), false) => Step::Subscribe,
            (Ok(false), true) => {
                self.remove(&mut shard, topic);
                Step::Done
            }
            (Err(error), _) => {
                room.fail_waiting(error);
                self.remove(&mut shard, topic);
                Step::Done
            }
        }
    }

    fn push(self: &Arc<Self>, topic: UploadId, room: &mut Room, frame: &Frame) {
        if room.life == Life::Gone {
            return;
        }
        room.pending.push(frame.class, websocket::text(&frame.text));
        if !room.pending.is_draining {
            room.pending.is_draining = true;
            spawn(&self.tasks, Arc::clone(self).fan_out(topic, room.id));
        }
    }

    fn remove(&self, shard: &mut Shard, topic: UploadId) {
        if let Some(room) = shard.rooms.remove(&topic) {
            lock(&self.topics_by_short_id).remove(&room.upload.short_id);
            self.expiries.set(topic, room.expires, None);
            if room.presence.next_due().is_some() {
                shard.left.insert(topic, room.presence);
            }
        }
    }

    fn shard(&self, topic: UploadId) -> MutexGuard<'_, Shard> {
        // Ids are random, so that each of their bytes spreads them evenly.
        let [.., last] = *topic.as_bytes();
        lock(&self.shards[usize::from(last) % SHARDS])
    }
}

impl Room {
    /// Whether a frame carried a number that is not known to be stored, or one that another entry has, or the upload
    /// may be gone.
    fn has_unconfirmed(&self) -> bool {
        let is_doubted = self.life == Life::Doubted || self.recent.conflict().is_some();
        is_doubted || self.recent.progress().unconfirmed.is_some()
    }

    /// Records that the topic is subscribed, and notifies the waiting sockets.
    fn confirm(&mut self) {
        self.reply_to_waiting(&Ok(()));
        self.subscription = Subscription::Confirmed;
        self.confirmations += 1;
    }

    /// Passes the error of a failed transition to the waiting sockets. The room must be removed then.
    fn fail_waiting(&mut self, error: BrokerError) {
        self.reply_to_waiting(&Err(error));
    }

    fn reply_to_waiting(&mut self, result: &Result<(), BrokerError>) {
        if let Subscription::Changing(waiting) = &mut self.subscription {
            for sender in waiting.drain(..) {
                // The receiver is gone if its socket has closed.
                let _ = sender.send(result.clone());
            }
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

struct LeaveOnDrop<'a> {
    rooms: &'a Arc<Rooms>,
    membership: Option<Membership>,
}

impl Drop for LeaveOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(membership) = self.membership.take() {
            self.rooms.leave(membership);
        }
    }
}

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
