//! A handle to the hub: what is published on a topic, and what goes from there to this node's sockets.

use std::sync::{Arc, Weak};

use app::event::ServerEvent;
use app::model::{Message, Seq, ShortId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answers::Answers;
use super::beacon::Beacon;
use super::frames::frame;
use super::heard::{Heard, Refusals};
use super::keeper::Keeper;
use super::metrics::HubMetrics;
use super::outbox::Outbox;
use super::refusal::unavailable;
use super::rooms::{Membership, Rooms};
use super::waiting::WaitingBytes;
use crate::broker::{Broker, BrokerError, Deliver, DeliveryClass, Frame, Topic};
use crate::config::HubIntervals;
use crate::store::Store;

/// How a node treats its sockets.
#[derive(Debug, Clone, Copy)]
pub struct HubLimits {
    /// Touches per socket and second, with bursts of as many; 0 means no limit. More are dropped and refused, once.
    pub touches_per_second: u32,
    /// What happens at intervals.
    pub pace: HubIntervals,
}

/// A handle to the hub; clones share it.
#[derive(Clone)]
pub struct Hub(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) store: Arc<dyn Store>,
    pub(super) limits: HubLimits,
    pub(super) metrics: HubMetrics,
    pub(super) rooms: Arc<Rooms>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) beacon: Arc<Beacon>,
    pub(super) answers: Answers,
    pub(super) waiting: Arc<WaitingBytes>,
    /// Told after every break in the flow of frames.
    pub(super) repaired: Notify,
    pub(super) refusals: Refusals,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
}

/// Frames that arrive for this node go to its sockets. The hub holds the broker, so the broker must not hold the hub.
pub(super) struct LocalDelivery(pub(super) Weak<Inner>);

impl Deliver for LocalDelivery {
    fn deliver(&self, topic: Topic, frame: Frame) {
        if let Some(hub) = self.0.upgrade() {
            Hub(hub).emit_local(topic, &frame);
        }
    }

    fn refused(&self, why: &'static str) {
        if let Some(hub) = self.0.upgrade() {
            hub.refusals.note(why);
        }
    }

    fn interrupted(&self) {
        if let Some(hub) = self.0.upgrade() {
            hub.rooms.interrupt(unavailable);
        }
    }

    fn repaired(&self) {
        if let Some(hub) = self.0.upgrade() {
            hub.rooms.repair();
            hub.repaired.notify_one();
        }
    }
}

impl Hub {
    /// Does this in the background until the node shuts down, whatever is waited for just then.
    pub(super) fn until_shutdown(&self, work: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.0.shutdown.clone();
        self.0
            .tasks
            .spawn(async move { shutdown.run_until_cancelled(work).await });
    }

    /// Adds a socket's outbox to a topic; the first one subscribes the node. Answers when the broker has confirmed:
    /// from then on every frame published on the topic is sent to this node.
    ///
    /// # Errors
    /// When the broker refuses; the outbox is not in the topic then.
    pub async fn subscribe(
        &self,
        topic: Topic,
        short_id: ShortId,
        outbox: Arc<Outbox>,
    ) -> Result<Membership, BrokerError> {
        self.0.rooms.join(topic, short_id, outbox).await
    }

    /// Takes a socket's outbox out of a topic; the last one out unsubscribes the node, in the background.
    pub fn unsubscribe(&self, membership: Membership) {
        self.0.rooms.leave(membership);
    }

    /// Takes a socket's outbox out of all its topics.
    pub fn unsubscribe_all(&self, memberships: impl IntoIterator<Item = Membership>) {
        memberships
            .into_iter()
            .for_each(|membership| self.unsubscribe(membership));
    }

    /// Encodes an event once and publishes it to every node with a watcher of the topic, this one too.
    ///
    /// # Errors
    /// When the broker is away: nobody may have got it.
    pub async fn emit(&self, topic: Topic, event: &ServerEvent) -> Result<(), BrokerError> {
        self.0.broker.publish(topic, frame(event)).await
    }

    /// Emits a stored message, and has its head told again by the beacon in case the frame is lost.
    pub async fn emit_posted(&self, message: Message) {
        let (topic, seq) = (message.upload_id, message.seq);
        self.0.beacon.note(topic, seq);
        let event = ServerEvent::MessagePosted {
            upload_id: topic,
            message,
        };
        if let Err(error) = self.emit(topic, &event).await {
            // Whoever knows an upload's id can open it: it is not logged.
            tracing::warn!(%error, %seq, "a posted message was not published; the beacon will tell");
        }
    }

    /// Has the beacon tell that a conversation has come so far.
    pub fn note_head(&self, topic: Topic, head: Seq) {
        self.0.beacon.note(topic, head);
    }

    /// Puts a frame into the outbox of every socket of this node that watches the topic. What no node publishes is
    /// refused; a number that does not follow what is known waits for the store's word.
    pub fn emit_local(&self, topic: Topic, frame: &Frame) {
        // Reading a touch takes half a microsecond: not where it can only be one of this process' own.
        let is_own = frame.class == DeliveryClass::Touch && !self.0.broker.is_open();
        let heard = if is_own {
            Ok(Heard::Touched)
        } else {
            Heard::read(topic, frame)
        };
        match heard {
            Ok(heard) => self.0.rooms.deliver(topic, frame, heard),
            Err(why) => self.0.refusals.note(why),
        }
    }

    /// How many topics this node's sockets watch.
    pub fn topics(&self) -> usize {
        self.0.rooms.len()
    }

    /// How many message frames and how many touch frames wait to be written to this node's sockets. Takes each outbox's
    /// lock for a moment: some ten nanoseconds a socket.
    pub fn waiting(&self) -> (usize, usize) {
        self.0.keeper.waiting()
    }

    /// How many bytes wait to be written to this node's sockets. A frame that waits for many of them counts once.
    pub fn bytes_waiting(&self) -> usize {
        self.0.waiting.get()
    }

    /// Tracks a task that ends with the node.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }
}
