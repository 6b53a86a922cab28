//! The channels of one server that this node wants, and which of them the server has confirmed: what is wanted is the
//! truth, and the one task that speaks to the server ([`Channels::next_batch`]) works towards it. So commands about one
//! channel never overtake each other, many changes become one batch, and a new connection needs nothing but to start.
//!
//! Frames pass through here on their way in, under the same lock: none is delivered after its topic was given up, and
//! none from a connection that has been replaced.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::broker::{BrokerError, Deliver, Frame, Topic};

/// A connection's number; a later one's is greater.
pub type Generation = u64;

/// Who takes what arrives, once it is known.
pub type Receiver = Arc<OnceLock<Arc<dyn Deliver>>>;

/// See the module.
pub struct Channels {
    state: Mutex<State>,
    changed: Notify,
    receiver: Receiver,
}

#[derive(Default)]
struct State {
    /// The connection that commands go to and frames come from.
    present: Option<Generation>,
    channels: HashMap<Topic, Channel>,
    /// Those that may not be as they are wanted, each once: bounded by the channels.
    queue: VecDeque<Topic>,
}

#[derive(Default)]
struct Channel {
    wish: Wish,
    /// The server has confirmed it on the present connection.
    at_server: bool,
    /// It stands in the queue.
    is_queued: bool,
    /// Its end is on the way to the server: the server's word of it is no surprise.
    is_ending: bool,
    /// They hear when the wish has come true. Dropped when it is no longer the wish, or the connection is lost.
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Wish {
    #[default]
    Ended,
    /// Nobody has been told yet that it is subscribed: it is given up if the connection is lost.
    Proposed,
    /// It lasts over every loss of the connection.
    Established,
}

/// Resolves when the server has confirmed a change; none if there is nothing to wait for.
pub type Confirmation = Option<oneshot::Receiver<()>>;

/// Commands for the server, about different channels each.
#[derive(Default)]
pub struct Batch {
    pub subscribe: Vec<Topic>,
    pub unsubscribe: Vec<Topic>,
    /// How many were taken from the queue for it; some of them needed no command.
    pub taken: usize,
}

impl Channels {
    pub fn new(receiver: Receiver) -> Self {
        Self {
            state: Mutex::default(),
            changed: Notify::new(),
            receiver,
        }
    }

    /// Wants a channel. It is refused where there is no connection.
    pub fn subscribe(&self, topic: Topic) -> Result<Confirmation, BrokerError> {
        let mut state = self.lock();
        if state.present.is_none() {
            return Err(BrokerError::Unavailable);
        }
        let channel = state.channels.entry(topic).or_default();
        if channel.wish == Wish::Established && channel.at_server {
            return Ok(None);
        }
        if channel.wish == Wish::Ended {
            channel.wish = Wish::Proposed;
            channel.waiting.clear();
        }
        let (tell, confirmation) = oneshot::channel();
        channel.waiting.push(tell);
        state.enqueue(topic);
        self.changed.notify_one();
        Ok(Some(confirmation))
    }

    /// Gives a channel up: from here on nothing of it is delivered.
    pub fn unsubscribe(&self, topic: Topic) -> Confirmation {
        let confirmation = self.lock().give_up(topic);
        self.changed.notify_one();
        confirmation
    }

    /// Whoever asked for the channel does not wait any longer: it is given up, unless it was confirmed at this moment.
    pub fn withdraw(&self, topic: Topic) -> Result<(), BrokerError> {
        let mut state = self.lock();
        match state.channels.get(&topic) {
            Some(channel) if channel.wish == Wish::Established && channel.at_server => Ok(()),
            Some(channel) if channel.wish == Wish::Proposed => {
                drop(state.give_up(topic));
                self.changed.notify_one();
                Err(BrokerError::Unavailable)
            }
            _ => Err(BrokerError::Unavailable),
        }
    }

    /// There is a new connection. Every channel has to be subscribed on it; their number is given.
    pub fn connected(&self, generation: Generation) -> usize {
        let mut state = self.lock();
        state.present = Some(generation);
        let topics: Vec<_> = state.channels.keys().copied().collect();
        for topic in topics {
            state.enqueue(topic);
        }
        state.queue.len()
    }

    /// The connection is lost. What was established stays wanted; the rest is refused.
    pub fn lost(&self) {
        let mut state = self.lock();
        state.present = None;
        state.queue.clear();
        state.channels.retain(|_, channel| {
            let stays = channel.wish == Wish::Established;
            *channel = Channel {
                wish: channel.wish,
                ..Channel::default()
            };
            stays
        });
    }

    /// Ends all here, and gives what lasts, for who takes it over.
    pub fn retire(&self) -> Vec<Topic> {
        self.lost();
        let channels = std::mem::take(&mut self.lock().channels);
        channels.into_keys().collect()
    }

    /// Takes over what another had, before the first connection.
    pub fn adopt(&self, topics: impl IntoIterator<Item = Topic>) {
        let channel = || Channel {
            wish: Wish::Established,
            ..Channel::default()
        };
        let topics = topics.into_iter().map(|topic| (topic, channel()));
        self.lock().channels.extend(topics);
    }

    /// Waits until there is something to tell the server, and takes at most so many channels of it.
    pub async fn next_batch(&self, most: usize) -> Batch {
        loop {
            let batch = self.lock().take(most);
            if batch.taken > 0 {
                return batch;
            }
            self.changed.notified().await;
        }
    }

    /// The server has confirmed a batch.
    pub fn confirmed(&self, generation: Generation, batch: &Batch) {
        let mut state = self.lock();
        if state.present != Some(generation) {
            return;
        }
        for topic in &batch.subscribe {
            state.set_at_server(*topic, true);
        }
        for topic in &batch.unsubscribe {
            state.set_at_server(*topic, false);
        }
    }

    /// The server says that a channel has ended. Is it one that should not have, as when its slot moved away?
    pub fn has_ended_unasked(&self, generation: Generation, topic: Topic) -> bool {
        let mut state = self.lock();
        let is_present = state.present == Some(generation);
        let Some(channel) = state.channels.get_mut(&topic) else {
            return false;
        };
        let was_asked = std::mem::take(&mut channel.is_ending);
        is_present && !was_asked && channel.wish != Wish::Ended
    }

    /// A frame arrived on a connection.
    pub fn deliver(&self, generation: Generation, topic: Topic, frame: Frame) {
        let state = self.lock();
        let is_wanted = |channel: &Channel| channel.wish != Wish::Ended;
        if state.present != Some(generation) || !state.channels.get(&topic).is_some_and(is_wanted) {
            return;
        }
        // The lock is held: whoever gives the topic up waits until this is through.
        if let Some(receiver) = self.receiver.get() {
            receiver.deliver(topic, frame);
        }
    }

    /// Something arrived that is no frame.
    pub fn refuse(&self, why: &'static str) {
        if let Some(receiver) = self.receiver.get() {
            receiver.refused(why);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn give_up(&mut self, topic: Topic) -> Confirmation {
        let Entry::Occupied(mut entry) = self.channels.entry(topic) else {
            return None;
        };
        if self.present.is_none() {
            entry.remove();
            return None;
        }
        let channel = entry.get_mut();
        if channel.wish != Wish::Ended {
            channel.wish = Wish::Ended;
            channel.waiting.clear();
        }
        let (tell, confirmation) = oneshot::channel();
        channel.waiting.push(tell);
        self.enqueue(topic);
        Some(confirmation)
    }

    fn enqueue(&mut self, topic: Topic) {
        if let Some(channel) = self.channels.get_mut(&topic)
            && !std::mem::replace(&mut channel.is_queued, true)
        {
            self.queue.push_back(topic);
        }
    }

    fn take(&mut self, most: usize) -> Batch {
        let mut batch = Batch::default();
        while batch.taken < most
            && let Some(topic) = self.queue.pop_front()
        {
            batch.taken += 1;
            let Some(channel) = self.channels.get_mut(&topic) else {
                continue;
            };
            channel.is_queued = false;
            match (channel.wish, channel.at_server) {
                (Wish::Ended, true) => {
                    channel.is_ending = true;
                    batch.unsubscribe.push(topic);
                }
                (Wish::Proposed | Wish::Established, false) => batch.subscribe.push(topic),
                _ => self.settle(topic),
            }
        }
        batch
    }

    fn set_at_server(&mut self, topic: Topic, at_server: bool) {
        if let Some(channel) = self.channels.get_mut(&topic) {
            channel.at_server = at_server;
            channel.is_ending = false;
            if at_server != (channel.wish == Wish::Ended) {
                self.settle(topic);
            }
            // Else it was wanted otherwise meanwhile, and stands in the queue for that.
        }
    }

    /// The wish for a channel has come true.
    fn settle(&mut self, topic: Topic) {
        let Entry::Occupied(mut entry) = self.channels.entry(topic) else {
            return;
        };
        for tell in entry.get_mut().waiting.drain(..) {
            // Who no longer listens withdraws it.
            let _ = tell.send(());
        }
        match entry.get().wish {
            Wish::Ended => {
                entry.remove();
            }
            Wish::Proposed | Wish::Established => entry.get_mut().wish = Wish::Established,
        }
    }
}

#[cfg(test)]
#[path = "channels_tests.rs"]
mod tests;
