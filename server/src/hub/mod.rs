//! The hub: this node's sockets and the topics that they watch.
//!
//! A frame reaches sockets on one path only: published through the broker, delivered back to every subscribed node,
//! this one too, and from there (`emit_local`) into each watching socket's [`Outbox`]. The same bytes go to every
//! socket; nothing is encoded twice.

mod answers;
mod audit;
mod batch;
mod beacon;
mod claims;
mod commands;
mod era;
mod heard;
mod keeper;
mod outbox;
mod recent;
mod rooms;
mod session;
mod waiting;

use std::sync::{Arc, Weak};
use std::time::Duration;

use app::event::ServerEvent;
use app::model::{Message, Seq, ShortId};
use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::broker::{Broker, BrokerError, Deliver, DeliveryClass, Frame, Topic};
pub use crate::config::Pace;
use crate::metrics::HubMetrics;
use crate::rate_limit::Misses;
use crate::store::Store;
use crate::websocket::Connection;

use answers::Answers;
use beacon::Beacon;
use heard::{Heard, Refusals};
use keeper::Keeper;
pub use outbox::Outbox;
pub use rooms::Membership;
use rooms::Rooms;
pub use waiting::WaitingBytes;

/// How a node treats its sockets.
#[derive(Debug, Clone, Copy)]
pub struct HubLimits {
    /// Touches per socket and second, with bursts of as many; 0 means no limit. More are dropped and refused, once.
    pub touches_per_second: u32,
    /// What happens at intervals.
    pub pace: Pace,
}

impl Pace {
    /// The shortest time after which something happens to a socket, at least 100 ms.
    fn shortest(&self) -> Duration {
        let shortest = self.ping_every.min(self.stuck_after);
        shortest.max(Duration::from_millis(100))
    }
}

/// A handle to the hub; clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    broker: Arc<dyn Broker>,
    store: Arc<dyn Store>,
    limits: HubLimits,
    metrics: HubMetrics,
    rooms: Arc<Rooms>,
    keeper: Arc<Keeper>,
    beacon: Beacon,
    answers: Answers,
    waiting: Arc<WaitingBytes>,
    /// Told after every break in the flow of frames.
    repaired: Notify,
    refusals: Refusals,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// Frames that arrive for this node go to its sockets. The hub holds the broker, so the broker must not hold the hub.
struct LocalDelivery(Weak<Inner>);

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
            hub.rooms.interrupt(commands::unavailable);
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
    /// Starts the hub of a node (the article's `InitHub`): frames that the broker delivers reach this hub's sockets
    /// from now on. Its tasks are tracked by `tasks`; when `shutdown` is cancelled every socket is closed with 1012.
    pub fn start(
        broker: Arc<dyn Broker>,
        store: Arc<dyn Store>,
        limits: HubLimits,
        metrics: HubMetrics,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        let rooms = Arc::new(Rooms::new(
            Arc::clone(&broker),
            metrics.clone(),
            tasks.clone(),
            shutdown.clone(),
        ));
        let refusals = Refusals::new(metrics.clone());
        let hub = Self(Arc::new(Inner {
            broker,
            store,
            limits,
            metrics,
            rooms,
            keeper: Keeper::new(),
            beacon: Beacon::default(),
            answers: Answers::default(),
            waiting: Arc::default(),
            repaired: Notify::new(),
            refusals,
            tasks,
            shutdown,
        }));
        let delivery = LocalDelivery(Arc::downgrade(&hub.0));
        hub.0.broker.attach(Arc::new(delivery));
        hub.until_shutdown(beacon::run(hub.clone()));
        hub.until_shutdown(audit::run(hub.clone()));
        hub.until_shutdown(keeper::run(hub.clone()));
        hub.until_shutdown(claims::run(hub.clone()));
        hub
    }

    /// Does this in the background until the node shuts down, whatever is waited for just then.
    fn until_shutdown(&self, work: impl Future<Output = ()> + Send + 'static) {
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

    /// Serves one socket until either side closes it (the article's `HandleSocket`); `read` is what came before the
    /// upgrade was done, and `misses` are its client's. The caller's task is a tracked one.
    pub async fn handle_socket(&self, connection: Connection, read: Bytes, misses: Misses) {
        session::run(self.clone(), connection, read, misses).await;
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
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }
}

/// The frame that tells how far a conversation has come.
fn head_frame(upload_id: Topic, head: Seq) -> Frame {
    frame(&ServerEvent::HeadAdvanced { upload_id, head })
}

/// The frame of an event, encoded for all who get it.
fn frame(event: &ServerEvent) -> Frame {
    let class = match event {
        ServerEvent::Touched { .. } => DeliveryClass::Touch,
        _ => DeliveryClass::Message,
    };
    let text = serde_json::to_string(event)
        .expect("an event has only keys and values that JSON can write");
    Frame {
        class,
        text: text.into(),
    }
}
