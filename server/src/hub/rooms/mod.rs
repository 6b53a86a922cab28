//! Which sockets watch which topic, and the node's subscription that follows from it.
//!
//! The first socket in a room subscribes the node to the topic and the last one out unsubscribes it. At most one
//! such transition of a topic is under way at a time, driven by a task of its own: it works towards what the room
//! needs by then, so that sockets coming and going meanwhile neither wait for it nor confuse it.

mod fanout;
mod flow;
mod pending;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::model::{ShortId, UploadRef};
use slab::Slab;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::pending::{Everyone, Pending};
use super::claims::Claims;
use super::era::Eras;
use super::heard::Heard;
use super::metrics::HubMetrics;
use super::outbox::Outbox;
use super::recent::Recent;
use crate::broker::{Broker, BrokerError, Frame, Topic};
use crate::websocket;

/// Rooms are spread over this many locks, so that a busy topic seldom delays another.
const SHARDS: usize = 64;

/// A socket's place in a room; given back by `leave`.
#[derive(Debug)]
pub struct Membership {
    topic: Topic,
    short_id: ShortId,
    slot: usize,
    /// Tells a room from a later one of the same topic.
    room: u64,
}

impl Membership {
    /// The topic.
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// Whether this is a name of its upload.
    pub fn is_named(&self, name: UploadRef) -> bool {
        match name {
            UploadRef::Id(id) => self.topic == id,
            UploadRef::Short(short_id) => self.short_id == short_id,
        }
    }
}

pub(super) struct Rooms {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// The topics of the rooms by the uploads' other names.
    names: Mutex<HashMap<ShortId, Topic>>,
    eras: Eras,
    pub(super) claims: Claims,
    broker: Arc<dyn Broker>,
    metrics: HubMetrics,
    /// What the rooms keep of messages together, in bytes of texts.
    recent_bytes: Arc<AtomicUsize>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

#[derive(Default)]
struct Shard {
    rooms: HashMap<Topic, Room>,
    rooms_made: u64,
}

struct Room {
    id: u64,
    short_id: ShortId,
    recent: Recent,
    members: Slab<Arc<Outbox>>,
    /// The members, as long as nobody comes or goes.
    everyone: Option<Everyone>,
    pending: Pending,
    subscription: Subscription,
}

enum Subscription {
    /// Confirmed by the broker.
    Proven,
    /// A transition is under way; these wait to hear that the topic is subscribed.
    Changing(Vec<oneshot::Sender<Result<(), BrokerError>>>),
}

/// What the task of a transition does next.
enum Step {
    Subscribe,
    Unsubscribe,
    Done,
}

impl Rooms {
    /// Nothing is asked of the broker any more once `shutdown` is cancelled.
    pub(super) fn new(
        broker: Arc<dyn Broker>,
        metrics: HubMetrics,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            names: Mutex::default(),
            eras: Eras::default(),
            claims: Claims::default(),
            broker,
            metrics,
            recent_bytes: Arc::default(),
            tasks,
            shutdown,
        }
    }

    pub(super) async fn join(
        self: &Arc<Self>,
        topic: Topic,
        short_id: ShortId,
        outbox: Arc<Outbox>,
    ) -> Result<Membership, BrokerError> {
        let (membership, proven) = self.enter(topic, short_id, outbox);
        let Some(proven) = proven else {
            return Ok(membership);
        };
        // Whoever gives up waiting (its socket is gone) must not stay in the room.
        let mut left_behind = LeaveOnDrop {
            rooms: self,
            membership: Some(membership),
        };
        let result = proven.await.unwrap_or(Err(BrokerError::Unavailable));
        let membership = left_behind.membership.take().expect("taken only here");
        match result {
            Ok(()) => Ok(membership),
            Err(error) => {
                self.leave(membership);
                Err(error)
            }
        }
    }

    /// Adds the member; the receiver is there when the subscription is not proven yet.
    fn enter(
        self: &Arc<Self>,
        topic: Topic,
        short_id: ShortId,
        outbox: Arc<Outbox>,
    ) -> (
        Membership,
        Option<oneshot::Receiver<Result<(), BrokerError>>>,
    ) {
        let mut shard = self.shard(topic);
        let Shard { rooms, rooms_made } = &mut *shard;
        let room = rooms.entry(topic).or_insert_with(|| {
            *rooms_made += 1;
            self.spawn_drive(topic, false);
            lock(&self.names).insert(short_id, topic);
            Room {
                id: *rooms_made,
                short_id,
                recent: Recent::new(Arc::clone(&self.recent_bytes)),
                members: Slab::new(),
                everyone: None,
                pending: Pending::default(),
                subscription: Subscription::Changing(Vec::new()),
            }
        });
        let membership = Membership {
            topic,
            short_id,
            slot: room.members.insert(outbox),
            room: room.id,
        };
        room.everyone = None;
        let proven = match &mut room.subscription {
            Subscription::Proven => None,
            Subscription::Changing(waiting) => {
                let (tell, proven) = oneshot::channel();
                waiting.push(tell);
                Some(proven)
            }
        };
        (membership, proven)
    }

    pub(super) fn leave(self: &Arc<Self>, membership: Membership) {
        let mut shard = self.shard(membership.topic);
        let Some(room) = shard
            .rooms
            .get_mut(&membership.topic)
            .filter(|room| room.id == membership.room)
        else {
            return;
        };
        room.members.try_remove(membership.slot);
        room.everyone = None;
        if room.members.is_empty() && matches!(room.subscription, Subscription::Proven) {
            room.subscription = Subscription::Changing(Vec::new());
            self.spawn_drive(membership.topic, true);
        }
    }

    /// Has a frame written to every member, unless it is one to wait for the store with.
    pub(super) fn deliver(self: &Arc<Self>, topic: Topic, frame: &Frame, heard: Heard) {
        if let Some(room) = self.shard(topic).rooms.get_mut(&topic) {
            let is_told = match heard {
                Heard::Posted(message) => room.recent.posted(message),
                Heard::Head(number) => room.recent.head_advanced(number),
                Heard::Touched => true,
            };
            if room.recent.progress().claimed.is_some() {
                self.claims.add(topic);
            }
            if is_told {
                self.push(topic, room, frame);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).rooms.len())
            .sum()
    }

    pub(super) fn topics(&self) -> Vec<Topic> {
        let mut topics = Vec::new();
        for shard in &self.shards {
            topics.extend(lock(shard).rooms.keys());
        }
        topics
    }

    /// The upload of this name, if this node watches it.
    pub(super) fn find(&self, name: UploadRef) -> Option<(Topic, ShortId)> {
        let topic = match name {
            UploadRef::Id(id) => id,
            UploadRef::Short(short_id) => *lock(&self.names).get(&short_id)?,
        };
        let short_id = self.shard(topic).rooms.get(&topic)?.short_id;
        Some((topic, short_id))
    }

    fn spawn_drive(self: &Arc<Self>, topic: Topic, subscribed: bool) {
        let drive = Arc::clone(self).drive(topic, subscribed);
        let shutdown = self.shutdown.clone();
        self.tasks
            .spawn(async move { shutdown.run_until_cancelled(drive).await });
    }

    /// Brings the node's subscription to what the room needs; one such task per topic at a time.
    async fn drive(self: Arc<Self>, topic: Topic, subscribed: bool) {
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

    fn next_step(&self, topic: Topic, subscribed: Result<bool, BrokerError>) -> Step {
        let mut shard = self.shard(topic);
        let Some(room) = shard.rooms.get_mut(&topic) else {
            return Step::Done;
        };
        match (subscribed, room.members.is_empty()) {
            (Ok(true), false) => {
                room.tell(Ok(()));
                Step::Done
            }
            (Ok(true), true) => Step::Unsubscribe,
            (Ok(false), false) => Step::Subscribe,
            (Ok(false), true) => {
                self.remove(&mut shard, topic);
                Step::Done
            }
            (Err(error), _) => {
                room.tell(Err(error));
                self.remove(&mut shard, topic);
                Step::Done
            }
        }
    }

    fn push(self: &Arc<Self>, topic: Topic, room: &mut Room, frame: &Frame) {
        room.pending.push(frame.class, websocket::text(&frame.text));
        if !room.pending.running {
            room.pending.running = true;
            self.tasks.spawn(Arc::clone(self).fan_out(topic, room.id));
        }
    }

    fn remove(&self, shard: &mut Shard, topic: Topic) {
        if let Some(room) = shard.rooms.remove(&topic) {
            lock(&self.names).remove(&room.short_id);
        }
    }

    fn shard(&self, topic: Topic) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(topic);
        lock(&self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()])
    }
}

impl Room {
    /// Ends a transition: everyone who waits hears how it went.
    fn tell(&mut self, result: Result<(), BrokerError>) {
        if let Subscription::Changing(waiting) =
            std::mem::replace(&mut self.subscription, Subscription::Proven)
        {
            for tell in waiting {
                // A socket that is gone no longer listens.
                let _ = tell.send(result);
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
mod tests;
