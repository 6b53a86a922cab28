//! The desired and the confirmed subscriptions at one server. One task sends the differences to the server, in batches
//! ([`Channels::next_batch`]), so that commands about one channel do not overtake each other, and a new connection only
//! has to start the task.
//!
//! Frames are delivered under the same lock: none is delivered after its topic was unsubscribed, and none from a
//! connection that has been replaced.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use app::model::UploadId;
use tokio::sync::{Notify, oneshot};

use super::reason::Reason;
use crate::broker::{BrokerError, Deliver, Frame};

/// The number of a connection; later ones are greater.
pub type ConnectionNumber = u64;

/// The receiver of frames, once it is attached.
pub type Receiver = Arc<OnceLock<Arc<dyn Deliver>>>;

/// The subscriptions at one server.
pub struct Channels {
    state: Mutex<State>,
    changed: Notify,
    receiver: Receiver,
}

#[derive(Default)]
struct State {
    /// The connection in use.
    current: Option<ConnectionNumber>,
    /// In the order in which they are subscribed again.
    channels: BTreeMap<UploadId, Channel>,
    /// Channels that may differ from what is desired, each once. Bounded by the channels.
    queue: VecDeque<UploadId>,
}

#[derive(Default)]
struct Channel {
    desired: Desired,
    /// Whether the server has confirmed it on the current connection.
    is_subscribed: bool,
    /// Whether it is in the queue.
    is_queued: bool,
    /// Whether an unsubscribe command was sent, so that its confirmation is expected.
    is_unsubscribing: bool,
    /// Notified when the desired state is confirmed. Dropped when another state is desired or the connection is lost.
    waiters: Vec<oneshot::Sender<()>>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Desired {
    #[default]
    Unsubscribed,
    /// Not confirmed to any caller yet; dropped if the connection is lost.
    Requested,
    /// Restored after every loss of the connection.
    Subscribed,
}

/// Resolves when the server has confirmed a change; `None` if there is nothing to wait for.
pub type Confirmation = Option<oneshot::Receiver<()>>;

/// Commands for the server, at most one per channel.
#[derive(Default)]
pub struct CommandBatch {
    pub subscribe: Vec<UploadId>,
    pub unsubscribe: Vec<UploadId>,
    /// How many channels were taken from the queue; some needed no command.
    pub dequeued: usize,
}

impl Channels {
    pub fn new(receiver: Receiver) -> Self {
        Self {
            state: Mutex::default(),
            changed: Notify::new(),
            receiver,
        }
    }

    /// Requests a subscription. Fails if there is no connection.
    pub fn subscribe(&self, topic: UploadId) -> Result<Confirmation, BrokerError> {
        let mut state = self.lock();
        if state.current.is_none() {
            return Err(BrokerError::unavailable(Reason::Closed));
        }
        let channel = state.channels.entry(topic).or_default();
        if channel.desired == Desired::Subscribed && channel.is_subscribed {
            return Ok(None);
        }
        if channel.desired == Desired::Unsubscribed {
            channel.desired = Desired::Requested;
            channel.waiters.clear();
        }
        let (sender, confirmation) = oneshot::channel();
        channel.waiters.push(sender);
        state.enqueue(topic);
        self.changed.notify_one();
        Ok(Some(confirmation))
    }

    /// Ends a subscription: no frame of it is delivered after this call.
    pub fn unsubscribe(&self, topic: UploadId) -> Confirmation {
        let confirmation = self.lock().unsubscribe(topic);
        self.changed.notify_one();
        confirmation
    }

    /// Ends a requested subscription. Returns whether the topic is subscribed instead, since the server has confirmed
    /// it after all.
    pub fn cancel(&self, topic: UploadId) -> bool {
        let mut state = self.lock();
        match state.channels.get(&topic) {
            Some(channel) if channel.desired == Desired::Requested => {
                drop(state.unsubscribe(topic));
                self.changed.notify_one();
                false
            }
            Some(channel) => channel.desired == Desired::Subscribed && channel.is_subscribed,
            None => false,
        }
    }

    /// Begins a new connection, on which every channel has to be subscribed. Returns their number.
    pub fn connected(&self, connection: ConnectionNumber) -> usize {
        let mut state = self.lock();
        state.current = Some(connection);
        let topics: Vec<_> = state.channels.keys().copied().collect();
        for topic in topics {
            state.enqueue(topic);
        }
        state.queue.len()
    }

    /// Ends the connection. Confirmed subscriptions stay desired; requested ones fail.
    pub fn disconnected(&self) {
        let mut state = self.lock();
        state.current = None;
        state.queue.clear();
        state.channels.retain(|_, channel| {
            let stays = channel.desired == Desired::Subscribed;
            *channel = Channel {
                desired: channel.desired,
                ..Channel::default()
            };
            stays
        });
    }

    /// Removes all channels, and returns the topics of the confirmed ones.
    pub fn take_all(&self) -> Vec<UploadId> {
        self.disconnected();
        let channels = std::mem::take(&mut self.lock().channels);
        channels.into_keys().collect()
    }

    /// Adds confirmed channels of another server, before the first connection.
    pub fn adopt(&self, topics: impl IntoIterator<Item = UploadId>) {
        let channel = || Channel {
            desired: Desired::Subscribed,
            ..Channel::default()
        };
        let topics = topics.into_iter().map(|topic| (topic, channel()));
        self.lock().channels.extend(topics);
    }

    /// Waits until there is something to send to the server, and takes at most `max` channels from the queue.
    pub async fn next_batch(&self, max: usize) -> CommandBatch {
        loop {
            let batch = self.lock().dequeue(max);
            if batch.dequeued > 0 {
                return batch;
            }
            self.changed.notified().await;
        }
    }

    /// Records that the server has confirmed a batch.
    pub fn confirmed(&self, connection: ConnectionNumber, batch: &CommandBatch) {
        let mut state = self.lock();
        if state.current != Some(connection) {
            return;
        }
        for topic in &batch.subscribe {
            state.set_subscribed(*topic, true);
        }
        for topic in &batch.unsubscribe {
            state.set_subscribed(*topic, false);
        }
    }

    /// Handles the server's message that a subscription has ended. Returns whether it is unexpected, as when its slot
    /// has moved.
    pub fn on_subscription_ended(&self, connection: ConnectionNumber, topic: UploadId) -> bool {
        let mut state = self.lock();
        let is_current = state.current == Some(connection);
        let Some(channel) = state.channels.get_mut(&topic) else {
            return false;
        };
        let is_expected = std::mem::take(&mut channel.is_unsubscribing);
        is_current && !is_expected && channel.desired != Desired::Unsubscribed
    }

    /// Delivers a frame that arrived on a connection.
    pub fn deliver(&self, connection: ConnectionNumber, topic: UploadId, frame: Frame) {
        let state = self.lock();
        let is_wanted = |channel: &Channel| channel.desired != Desired::Unsubscribed;
        if state.current != Some(connection) || !state.channels.get(&topic).is_some_and(is_wanted) {
            return;
        }
        // The lock is held, so that unsubscribing waits until the frame is delivered.
        if let Some(receiver) = self.receiver.get() {
            receiver.deliver(topic, frame);
        }
    }

    /// Reports a payload that is not a frame.
    pub fn reject(&self, reason: &'static str) {
        if let Some(receiver) = self.receiver.get() {
            receiver.refused(reason);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn unsubscribe(&mut self, topic: UploadId) -> Confirmation {
        let Entry::Occupied(mut entry) = self.channels.entry(topic) else {
            return None;
        };
        if self.current.is_none() {
            entry.remove();
            return None;
        }
        let channel = entry.get_mut();
        if channel.desired != Desired::Unsubscribed {
            channel.desired = Desired::Unsubscribed;
            channel.waiters.clear();
        }
        let (sender, confirmation) = oneshot::channel();
        channel.waiters.push(sender);
        self.enqueue(topic);
        Some(confirmation)
    }

    fn enqueue(&mut self, topic: UploadId) {
        if let Some(channel) = self.channels.get_mut(&topic)
            && !std::mem::replace(&mut channel.is_queued, true)
        {
            self.queue.push_back(topic);
        }
    }

    fn dequeue(&mut self, max: usize) -> CommandBatch {
        let mut batch = CommandBatch::default();
        while batch.dequeued < max
            && let Some(topic) = self.queue.pop_front()
        {
            batch.dequeued += 1;
            let Some(channel) = self.channels.get_mut(&topic) else {
                continue;
            };
            channel.is_queued = false;
            match (channel.desired, channel.is_subscribed) {
                (Desired::Unsubscribed, true) => {
                    channel.is_unsubscribing = true;
                    batch.unsubscribe.push(topic);
                }
                (Desired::Requested | Desired::Subscribed, false) => batch.subscribe.push(topic),
                _ => self.resolve(topic),
            }
        }
        batch
    }

    fn set_subscribed(&mut self, topic: UploadId, is_subscribed: bool) {
        if let Some(channel) = self.channels.get_mut(&topic) {
            channel.is_subscribed = is_subscribed;
            channel.is_unsubscribing = false;
            if is_subscribed != (channel.desired == Desired::Unsubscribed) {
                self.resolve(topic);
            }
            // Otherwise another state is desired meanwhile, and the channel is in the queue.
        }
    }

    /// Records that the desired state of a channel is reached.
    fn resolve(&mut self, topic: UploadId) {
        let Entry::Occupied(mut entry) = self.channels.entry(topic) else {
            return;
        };
        for sender in entry.get_mut().waiters.drain(..) {
            // A caller that no longer waits cancels the request.
            let _ = sender.send(());
        }
        match entry.get().desired {
            Desired::Unsubscribed => {
                entry.remove();
            }
            Desired::Requested | Desired::Subscribed => {
                entry.get_mut().desired = Desired::Subscribed;
            }
        }
    }
}

#[cfg(test)]
mod tests;
