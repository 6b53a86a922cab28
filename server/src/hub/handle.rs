//! The handle to the hub: publishes events on topics, and delivers frames from the broker to this node's sockets.

use std::error::Error;
use std::sync::{Arc, Weak};

use app::event::ServerEvent;
use app::model::{Deletion, LogEntry, LogPage, Message, Seq, UploadId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer_cache::AnswerCache;
use super::frames::{encode, head_frame};
use super::head_announcer::HeadAnnouncer;
use super::incoming::{IncomingEvent, RefusedFrames, parse_digest};
use super::metrics::HubMetrics;
use super::outbox::{Outbox, Queued};
use super::queue_lengths::QueueLengths;
use super::queued_bytes::QueuedBytes;
use super::refusals::{gone, unavailable};
use super::rooms::{Membership, ReadStart, Rooms, WatchedUpload};
use super::socket_monitor::SocketMonitor;
use crate::broker::{Broker, BrokerError, Deliver, DeliveryClass, Frame};
use crate::config::HubIntervals;
use crate::panics::stop_on_panic;
use crate::store::Store;

/// Limits and intervals of a node's sockets.
#[derive(Debug, Clone, Copy)]
pub struct HubLimits {
    /// Touches per socket and second, with bursts of the same size; 0 means no limit. More are dropped, and refused
    /// once.
    pub touches_per_second: u32,
    /// The intervals of the hub's background tasks.
    pub intervals: HubIntervals,
}

/// A handle to the hub; clones share it.
#[derive(Clone)]
pub struct Hub(pub(super) Arc<Inner>);

pub(super) struct Inner {
    /// The node's random number, by which the others recognise its digests.
    pub(super) node: u64,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) store: Arc<dyn Store>,
    pub(super) limits: HubLimits,
    pub(super) metrics: HubMetrics,
    pub(super) rooms: Arc<Rooms>,
    pub(super) monitor: Arc<SocketMonitor>,
    pub(super) head_announcer: Arc<HeadAnnouncer>,
    pub(super) answer_cache: AnswerCache,
    pub(super) queued_bytes: Arc<QueuedBytes>,
    /// Notified when the node's subscription has been repaired.
    pub(super) repaired: Notify,
    pub(super) refused_frames: RefusedFrames,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
}

/// Passes what the broker delivers to the hub. The reference is weak because the hub owns the broker.
pub(super) struct LocalDelivery(pub(super) Weak<Inner>);

impl Deliver for LocalDelivery {
    fn deliver(&self, topic: UploadId, frame: Frame) {
        if let Some(hub) = self.0.upgrade() {
            Hub(hub).deliver_local(topic, &frame);
        }
    }

    fn refused(&self, reason: &'static str) {
        if let Some(hub) = self.0.upgrade() {
            hub.refused_frames.record(reason);
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
    /// Spawns a task that is cancelled when the node shuts down.
    pub(super) fn spawn_until_shutdown(&self, work: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.0.shutdown.clone();
        let work = stop_on_panic(shutdown.clone(), work);
        self.0
            .tasks
            .spawn(async move { shutdown.run_until_cancelled(work).await });
    }

    /// Adds a socket's outbox to the topic of an upload; the first one subscribes the node. Returns when the broker has
    /// confirmed the subscription: every frame that is published on the topic from then on is sent to this node.
    ///
    /// # Errors
    /// The broker's error; the outbox is not in the topic then.
    pub async fn subscribe(
        &self,
        upload: WatchedUpload,
        outbox: Arc<Outbox>,
    ) -> Result<Membership, BrokerError> {
        self.0.rooms.join(upload, outbox).await
    }

    /// Removes a socket's outbox from a topic; removing the last one unsubscribes the node, in the background.
    pub fn unsubscribe(&self, membership: Membership) {
        self.0.rooms.leave(membership);
    }

    /// Removes a socket's outbox from all its topics.
    pub fn unsubscribe_all(&self, memberships: impl IntoIterator<Item = Membership>) {
        memberships
            .into_iter()
            .for_each(|membership| self.unsubscribe(membership));
    }

    /// Encodes an event and publishes it to every node with a watcher of the topic, including this one.
    ///
    /// # Errors
    /// The broker's error; the event may have been delivered all the same.
    pub async fn publish(&self, topic: UploadId, event: &ServerEvent) -> Result<(), BrokerError> {
        self.0.broker.publish(topic, encode(event)).await
    }

    /// Publishes a stored message. The head announcer announces its number later, in case this frame is lost.
    pub async fn publish_posted(&self, message: Message) {
        let (topic, seq) = (message.upload_id, message.seq);
        let event = ServerEvent::MessagePosted {
            upload_id: topic,
            message,
        };
        self.publish_entry(topic, seq, &event).await;
    }

    /// Publishes the deletion of a message, like a message.
    pub async fn publish_deleted(&self, deletion: Deletion) {
        let (topic, seq) = (deletion.upload_id, deletion.seq);
        let event = ServerEvent::MessageDeleted {
            upload_id: topic,
            entry: deletion,
        };
        self.publish_entry(topic, seq, &event).await;
    }

    async fn publish_entry(&self, topic: UploadId, seq: Seq, event: &ServerEvent) {
        self.0.head_announcer.record(topic, seq);
        if let Err(error) = self.publish(topic, event).await {
            // The upload's id is not logged: it gives access to the upload.
            let cause = error.source().map(tracing::field::display);
            tracing::warn!(%error, cause, %seq, "an entry was not published; its number will be announced");
        }
    }

    /// Publishes that an upload is gone. Each node asks the store before it tells its sockets. Those that this does not
    /// reach notice by themselves, by the reconciler.
    pub async fn publish_gone(&self, topic: UploadId) {
        let event = ServerEvent::UploadDeleted { upload_id: topic };
        if let Err(error) = self.publish(topic, &event).await {
            let cause = error.source().map(tracing::field::display);
            tracing::warn!(%error, cause, "a deletion of an upload was not published; every node will notice");
        }
    }

    /// The store says that the topic's upload is gone: tells its sockets, and forgets what is known of it.
    pub(super) fn on_gone(&self, topic: UploadId) {
        if self.0.rooms.end(topic, &gone(topic)) {
            self.0.answer_cache.clear();
        }
    }

    /// Has the head announcer announce this head of the topic.
    pub fn announce_head(&self, topic: UploadId, head: Seq) {
        self.0.head_announcer.record(topic, head);
    }

    /// Delivers a frame to every socket of this node that watches the topic. A frame that no node publishes is
    /// refused; a head beyond the known one is passed on only after the store has confirmed it.
    pub fn deliver_local(&self, topic: UploadId, frame: &Frame) {
        let handled = match frame.class {
            DeliveryClass::Presence => self.on_digest(topic, frame),
            // Parsing a touch takes half a microsecond, which is saved where only this process can have published it.
            DeliveryClass::Touch if !self.0.broker.is_external() => {
                self.0.rooms.deliver(topic, frame, IncomingEvent::Touched);
                Ok(())
            }
            _ => IncomingEvent::parse(topic, frame).map(|event| {
                if let IncomingEvent::Appended(LogEntry::Deletion(_)) = event {
                    self.0.answer_cache.clear();
                }
                self.0.rooms.deliver(topic, frame, event);
            }),
        };
        if let Err(reason) = handled {
            self.0.refused_frames.record(reason);
        }
    }

    /// Handles what a node says about its viewers; this one's own is known.
    fn on_digest(&self, topic: UploadId, frame: &Frame) -> Result<(), &'static str> {
        let digest = parse_digest(frame)?;
        if digest.node == self.0.node {
            return Ok(());
        }
        self.0.rooms.on_digest(topic, digest)
    }

    /// Merges a page of the store into what is known of the topic; see [`Rooms::merge_page`]. If the store has another
    /// entry, the topic's sockets are sent that too: their clients may have gone on to numbers that all agree on.
    pub(super) fn merge_page(&self, topic: UploadId, page: &LogPage, begun: ReadStart) {
        let Some(other) = self.0.rooms.merge_page(topic, page, begun) else {
            return;
        };
        let upload_id = topic;
        let event = match other {
            LogEntry::Message(message) => Some(ServerEvent::MessagePosted { upload_id, message }),
            LogEntry::Deletion(entry) => Some(ServerEvent::MessageDeleted { upload_id, entry }),
            // There is no such event: those who watch again learn of it if it is their last one.
            LogEntry::DeletedMessage(_) => None,
        };
        if let Some(event) = event {
            self.deliver_local(topic, &encode(&event));
        }
        self.on_other_history(topic, page.head);
    }

    /// The store, with this head, has another history of the topic than this node knew, as after a restore: forgets the
    /// cached answers, and has the topic's sockets watch again.
    pub(super) fn on_other_history(&self, topic: UploadId, head: Seq) {
        self.0.answer_cache.clear();
        let notices = [unavailable(topic), head_frame(topic, head)];
        self.0.rooms.resynchronise(topic, &notices);
    }

    /// The number of topics that this node's sockets watch.
    pub fn topic_count(&self) -> usize {
        self.0.rooms.len()
    }

    /// What waits to be written to each of this node's sockets. Takes each outbox's lock for a moment, about ten
    /// nanoseconds per socket.
    pub fn queued(&self) -> Vec<Queued> {
        self.0.monitor.queued()
    }

    /// How full the queues of rooms and topics are. Takes the lock of each shard.
    pub fn queue_lengths(&self) -> QueueLengths {
        self.0.rooms.queue_lengths()
    }

    /// The number of bytes that wait to be written to this node's sockets. A frame that waits for many counts once.
    pub fn queued_bytes(&self) -> usize {
        self.0.queued_bytes.get()
    }

    /// Tracks the tasks that end with the node.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }
}
