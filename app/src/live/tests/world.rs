//! A server with its store, and a network between it and the tab that loses, repeats, delays and reorders.

use std::collections::{BTreeMap, HashMap};

use super::super::connection::ConnectionEvent;
use super::super::effect::{Effect, Now, Timer};
use super::super::failure::ApiFailure;
use super::super::machine::{Input, Machine};
use super::fixture::{id, key, me, message, stored, upload_id};
use crate::event::{ClientCommand, ServerEvent};
use crate::model::{
    ClientMessageId, Deletion, LogEntry, LogPage, Message, MessageId, NewMessage, Seq,
};

const NEWEST: usize = 50;
/// More than one request brings.
const MANY: usize = 300;

/// `SplitMix64` (Steele, Lea, Flood 2014): small, seeded, good enough.
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) millis: u64,
    /// Everything is delivered, in order.
    pub(super) reliable: bool,
    pub(super) store: Vec<LogEntry>,
    /// The index of each message in the store, also of deleted ones.
    pub(super) places: HashMap<ClientMessageId, usize>,
    pub(super) machine: Machine,
    /// Whether the machine holds an open socket, and whether the node watches for it.
    pub(super) open: bool,
    pub(super) watching: bool,
    /// Frames and answers that the tab has not received yet.
    pub(super) in_flight: Vec<Input>,
    pub(super) timers: BTreeMap<u8, (u64, Timer)>,
    pub(super) written: usize,
    /// Posts under way: at most one.
    pub(super) posts: usize,
    pub(super) fetches: usize,
    /// How often the newest messages were fetched instead of all.
    pub(super) skipped: usize,
    /// How many restores have made another history, in which no message has an id of the first one.
    pub(super) restores: usize,
    /// How often the list has started anew.
    pub(super) restarts: usize,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let mut store = Vec::new();
        for _ in 0..rng.below(120) {
            store.push(LogEntry::Message(other(&store)));
        }
        let messages = store.iter().filter_map(LogEntry::message);
        let keys = messages.map(|message| message.client_message_id.clone());
        let places = keys.enumerate().map(|(i, key)| (key, i)).collect();
        let newest = store[store.len().saturating_sub(NEWEST)..].to_vec();
        let page = LogPage {
            entries: newest,
            head: head(&store),
        };
        Self {
            rng,
            millis: 1_000_000,
            reliable: false,
            store,
            places,
            machine: Machine::new(upload_id(), page, "me".parse().unwrap(), me()),
            open: false,
            watching: false,
            in_flight: Vec::new(),
            timers: BTreeMap::new(),
            written: 0,
            posts: 0,
            fetches: 0,
            skipped: 0,
            restores: 0,
            restarts: 0,
        }
    }

    pub(super) fn give(&mut self, input: Input) {
        let random = self.rng.below(1_000_000);
        let random = f64::from(u32::try_from(random).unwrap()) / 1e6;
        self.machine.handle(
            input,
            Now {
                millis: self.millis,
                random,
            },
        );
        self.perform_effects();
    }

    pub(super) fn perform_effects(&mut self) {
        self.restarts += usize::from(self.machine.take_changes().restarted);
        for effect in self.machine.take_effects() {
            self.perform(effect);
        }
    }

    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Connect => {
                self.disconnect();
                let refused = !self.reliable && self.rng.one_in(3);
                let event = if refused {
                    ConnectionEvent::Closed(1006)
                } else {
                    ConnectionEvent::Opened
                };
                self.open = !refused;
                self.in_flight.push(Input::Connection(event));
            }
            Effect::Disconnect | Effect::Release => self.disconnect(),
            Effect::Send(ClientCommand::Watch {
                after, after_id, ..
            }) if self.open => self.watch(after, after_id),
            Effect::FetchNewest => {
                self.skipped += 1;
                self.start_fetch();
                let newest = self.newest_before(head(&self.store).next());
                let answer = self.unless_lost(newest);
                self.in_flight.push(Input::FetchedNewest(answer));
            }
            Effect::FetchFrom(seq) => {
                let page = self.page(|entry| entry.seq() >= seq);
                self.start_fetch();
                let answer = self.unless_lost(page);
                self.in_flight.push(Input::Fetched(answer));
            }
            Effect::FetchUpTo(seq) => {
                let older = self.newest_before(seq.next());
                let answer = self.unless_lost(older);
                self.in_flight.push(Input::FetchedOlder(answer));
            }
            Effect::Post(new) => self.post(new),
            Effect::Start(timer, millis) => {
                self.timers
                    .insert(timer as u8, (self.millis + u64::from(millis), timer));
            }
            Effect::Stop(timer) => drop(self.timers.remove(&(timer as u8))),
            // The tab deletes nothing.
            Effect::Send(_) | Effect::Delete(..) => {}
        }
    }

    pub(super) fn disconnect(&mut self) {
        self.open = false;
        self.watching = false;
        self.in_flight
            .retain(|it| !matches!(it, Input::Frame(_) | Input::Connection(_)));
    }

    pub(super) fn watch(&mut self, after: Option<Seq>, after_id: Option<MessageId>) {
        if !self.reliable && self.rng.one_in(8) {
            return;
        }
        self.watching = true;
        let after = after.unwrap_or_default();
        let has_it = |id| {
            self.store
                .iter()
                .any(|it| it.seq() == after && it.id() == id)
        };
        let reset = !after_id.is_none_or(has_it);
        let mut entries = self.page(|entry| entry.seq() > after).entries;
        if reset {
            entries = self.newest_before(head(&self.store).next()).entries;
        } else if self.reliable || self.rng.one_in(2) {
            // A reliable network brings what is missing by requests alone.
            entries.clear();
        }
        let event = ServerEvent::Watched {
            upload_id: upload_id(),
            head: head(&self.store),
            entries,
            reset,
        };
        self.in_flight.push(Input::Frame(Some(event)));
    }

    /// Restores a backup of the store, to which others then post something else. The server is restarted for it, so
    /// that what is under way fails.
    pub(super) fn restore(&mut self) {
        let lost = self.rng.below(self.store.len().min(100)) + 1;
        let length = self.store.len() - lost;
        self.restores += 1;
        self.disconnect();
        for input in &mut self.in_flight {
            match input {
                Input::Fetched(answer)
                | Input::FetchedNewest(answer)
                | Input::FetchedOlder(answer) => *answer = Err(ApiFailure::Unreachable),
                Input::PostAnswered(_, answer) => *answer = Err(ApiFailure::Unreachable),
                _ => {}
            }
        }
        self.in_flight
            .push(Input::Connection(ConnectionEvent::Closed(1006)));
        self.store.truncate(length);
        self.places.retain(|_, place| *place < length);
        for _ in 0..self.rng.below(100) {
            self.append_other();
        }
    }

    pub(super) fn page(&self, wanted: impl Fn(&LogEntry) -> bool) -> LogPage {
        // Small pages, so that several are needed.
        let entries = self
            .store
            .iter()
            .filter(|entry| wanted(entry))
            .take(7)
            .cloned()
            .collect();
        LogPage {
            entries,
            head: head(&self.store),
        }
    }

    fn newest_before(&self, seq: Seq) -> LogPage {
        let end = self.store.partition_point(|entry| entry.seq() < seq);
        LogPage {
            entries: self.store[end.saturating_sub(NEWEST)..end].to_vec(),
            head: head(&self.store),
        }
    }

    fn start_fetch(&mut self) {
        self.fetches += 1;
        assert_eq!(self.fetches, 1, "one fetch at a time");
    }

    pub(super) fn unless_lost<T>(&mut self, answer: T) -> Result<T, ApiFailure> {
        if !self.reliable && self.rng.one_in(4) {
            Err(ApiFailure::Unreachable)
        } else {
            Ok(answer)
        }
    }

    pub(super) fn post(&mut self, new: NewMessage) {
        self.posts += 1;
        assert_eq!(self.posts, 1, "one post at a time");
        let key = new.client_message_id.clone();
        let lost_before = !self.reliable && self.rng.one_in(6);
        let answer = if lost_before {
            Err(ApiFailure::Unreachable)
        } else {
            let known = self.places.get(&key);
            let known = known.map(|place| self.store[*place].clone());
            let entry = known.unwrap_or_else(|| {
                let message = stored(new, head(&self.store).next().get());
                self.append(message.clone());
                message.into()
            });
            let lost_after = !self.reliable && self.rng.one_in(6);
            if lost_after {
                Err(ApiFailure::TimedOut)
            } else {
                Ok(entry)
            }
        };
        self.in_flight.push(Input::PostAnswered(key, answer));
    }

    /// Others post more than one request brings.
    pub(super) fn append_many(&mut self) {
        for _ in 0..MANY {
            self.append_other();
        }
    }

    /// Somebody else posts a message.
    pub(super) fn append_other(&mut self) {
        let mut message = other(&self.store);
        if self.restores > 0 {
            message.client_message_id = key(&format!("again-{}", message.seq));
            message.id = id(&message.client_message_id);
        }
        self.append(message);
    }

    pub(super) fn append(&mut self, message: Message) {
        let key = message.client_message_id.clone();
        self.places.insert(key, self.store.len());
        self.store.push(message.clone().into());
        self.publish(ServerEvent::MessagePosted {
            upload_id: upload_id(),
            message,
        });
    }

    /// Somebody deletes a message.
    pub(super) fn delete(&mut self) {
        if self.store.is_empty() {
            return;
        }
        let place = self.rng.below(self.store.len());
        if self.store[place].message().is_none() {
            return;
        }
        let seq = head(&self.store).next();
        let deletion = Deletion {
            id: id(&key(&format!("deletion-{seq}-{}", self.restores))),
            upload_id: upload_id(),
            seq,
            deletes: self.store[place].seq(),
            created_at: self.store[place].created_at(),
        };
        self.store[place] = self.store[place].clone().after(&deletion);
        self.store.push(LogEntry::Deletion(deletion));
        self.publish(ServerEvent::MessageDeleted {
            upload_id: upload_id(),
            entry: deletion,
        });
    }

    fn publish(&mut self, event: ServerEvent) {
        if self.watching && (self.reliable || !self.rng.one_in(5)) {
            self.in_flight.push(Input::Frame(Some(event)));
        }
    }

    pub(super) fn announce_head(&mut self) {
        if self.watching {
            let head = head(&self.store);
            let event = ServerEvent::HeadAdvanced {
                upload_id: upload_id(),
                head,
            };
            self.in_flight.push(Input::Frame(Some(event)));
        }
    }

    /// Delivers the oldest frame or answer over a reliable network, otherwise any of them, perhaps twice.
    pub(super) fn deliver(&mut self) {
        if self.in_flight.is_empty() {
            return;
        }
        let place = if self.reliable {
            0
        } else {
            self.rng.below(self.in_flight.len())
        };
        let input = self.in_flight.remove(place);
        match &input {
            Input::Fetched(_) | Input::FetchedNewest(_) => self.fetches -= 1,
            Input::PostAnswered(..) => self.posts -= 1,
            Input::Connection(ConnectionEvent::Closed(_)) => self.open = false,
            Input::Frame(_) if !self.reliable && self.rng.one_in(6) => {
                self.in_flight.push(input.clone());
            }
            _ => {}
        }
        self.give(input);
    }

    pub(super) fn expire_timer(&mut self) {
        if let Some((&slot, &(at, timer))) = self.timers.iter().min_by_key(|(_, (at, _))| *at) {
            self.timers.remove(&slot);
            self.millis = self.millis.max(at);
            self.give(Input::Timer(timer));
        }
    }
}

pub(super) fn head(store: &[LogEntry]) -> Seq {
    store.last().map_or(Seq::ZERO, LogEntry::seq)
}

fn other(store: &[LogEntry]) -> Message {
    message(head(store).next().get())
}
