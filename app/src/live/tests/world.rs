//! A server with its store, and a network between it and the tab that drops, doubles, delays and reorders.

use std::collections::{BTreeMap, HashMap};

use super::super::effect::{Effect, Now, Timer};
use super::super::failure::ApiFailure;
use super::super::line::LineEvent;
use super::super::machine::{Input, Machine};
use super::fixture::{message, stored, upload_id};
use crate::event::{ClientCommand, ServerEvent};
use crate::model::{ClientMessageId, Message, MessagePage, NewMessage, Seq};

const NEWEST: usize = 50;

/// `SplitMix64` (Steele, Lea, Flood 2014): small, seeded, good enough.
pub(super) struct Chance(u64);

impl Chance {
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
    pub(super) chance: Chance,
    pub(super) millis: u64,
    /// While true, everything goes through, in order.
    pub(super) well: bool,
    pub(super) store: Vec<Message>,
    /// Where in the store a message is.
    pub(super) places: HashMap<ClientMessageId, usize>,
    pub(super) machine: Machine,
    /// Whether the machine holds an open socket, and whether the node watches for it.
    pub(super) open: bool,
    pub(super) watching: bool,
    /// Frames and answers on their way to the tab.
    pub(super) on_the_way: Vec<Input>,
    pub(super) timers: BTreeMap<u8, (u64, Timer)>,
    pub(super) written: usize,
    /// Posts under way, to see that there is one at a time.
    pub(super) posts: usize,
    pub(super) fetches: usize,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let mut store = Vec::new();
        for _ in 0..chance.below(120) {
            store.push(other(&store));
        }
        let keys = store
            .iter()
            .map(|message| message.client_message_id.clone());
        let places = keys.enumerate().map(|(i, key)| (key, i)).collect();
        let newest = store[store.len().saturating_sub(NEWEST)..].to_vec();
        let page = MessagePage {
            messages: newest,
            head: head(&store),
        };
        Self {
            chance,
            millis: 1_000_000,
            well: false,
            store,
            places,
            machine: Machine::new(upload_id(), page, "me".parse().unwrap()),
            open: false,
            watching: false,
            on_the_way: Vec::new(),
            timers: BTreeMap::new(),
            written: 0,
            posts: 0,
            fetches: 0,
        }
    }

    pub(super) fn give(&mut self, input: Input) {
        let random = self.chance.below(1_000_000);
        let random = f64::from(u32::try_from(random).unwrap()) / 1e6;
        self.machine.handle(
            input,
            Now {
                millis: self.millis,
                random,
            },
        );
        self.carry_out();
    }

    pub(super) fn carry_out(&mut self) {
        for effect in self.machine.take_effects() {
            self.perform(effect);
        }
    }

    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Connect => {
                self.disconnect();
                let refused = !self.well && self.chance.one_in(3);
                let event = if refused {
                    LineEvent::Closed(1006)
                } else {
                    LineEvent::Opened
                };
                self.open = !refused;
                self.on_the_way.push(Input::Line(event));
            }
            Effect::Disconnect | Effect::Release => self.disconnect(),
            Effect::Send(ClientCommand::Watch { after, .. }) if self.open => self.watch(after),
            Effect::FetchAfter(seq) => {
                let page = self.page(|message| message.seq > seq);
                self.fetches += 1;
                assert_eq!(self.fetches, 1, "one fetch at a time");
                let answer = self.unless_unlucky(page);
                self.on_the_way.push(Input::Fetched(answer));
            }
            Effect::FetchBefore(seq) => {
                let mut messages: Vec<Message> = self.store.clone();
                messages.retain(|message| message.seq < seq);
                messages.drain(..messages.len().saturating_sub(NEWEST));
                let answer = self.unless_unlucky(MessagePage {
                    messages,
                    head: head(&self.store),
                });
                self.on_the_way.push(Input::FetchedOlder(answer));
            }
            Effect::Post(new) => self.post(new),
            Effect::Start(timer, millis) => {
                self.timers
                    .insert(timer as u8, (self.millis + u64::from(millis), timer));
            }
            Effect::Stop(timer) => drop(self.timers.remove(&(timer as u8))),
            Effect::Send(_) | Effect::Remember(_) => {}
        }
    }

    pub(super) fn disconnect(&mut self) {
        self.open = false;
        self.watching = false;
        self.on_the_way
            .retain(|it| !matches!(it, Input::Frame(_) | Input::Line(_)));
    }

    pub(super) fn watch(&mut self, after: Option<Seq>) {
        if !self.well && self.chance.one_in(8) {
            return;
        }
        self.watching = true;
        let after = after.unwrap_or_default();
        let mut messages = self.page(|message| message.seq > after).messages;
        // A well network brings what is missing by fetches alone.
        if self.well || self.chance.one_in(2) {
            messages.clear();
        }
        let event = ServerEvent::Watched {
            upload_id: upload_id(),
            head: head(&self.store),
            messages,
        };
        self.on_the_way.push(Input::Frame(Some(event)));
    }

    pub(super) fn page(&self, wanted: impl Fn(&Message) -> bool) -> MessagePage {
        // Small pages, so that several are needed.
        let messages = self
            .store
            .iter()
            .filter(|message| wanted(message))
            .take(7)
            .cloned()
            .collect();
        MessagePage {
            messages,
            head: head(&self.store),
        }
    }

    pub(super) fn unless_unlucky<T>(&mut self, answer: T) -> Result<T, ApiFailure> {
        if !self.well && self.chance.one_in(4) {
            Err(ApiFailure::Unreachable)
        } else {
            Ok(answer)
        }
    }

    pub(super) fn post(&mut self, new: NewMessage) {
        self.posts += 1;
        assert_eq!(self.posts, 1, "one post at a time");
        let key = new.client_message_id.clone();
        let lost_before = !self.well && self.chance.one_in(6);
        let answer = if lost_before {
            Err(ApiFailure::Unreachable)
        } else {
            let known = self
                .store
                .iter()
                .find(|message| message.client_message_id == key)
                .cloned();
            let message = known.unwrap_or_else(|| {
                let message = stored(new, head(&self.store).next().get());
                self.append(message.clone());
                message
            });
            let lost_after = !self.well && self.chance.one_in(6);
            if lost_after {
                Err(ApiFailure::TimedOut)
            } else {
                Ok(message)
            }
        };
        self.on_the_way.push(Input::Answered(key, answer));
    }

    pub(super) fn append(&mut self, message: Message) {
        let key = message.client_message_id.clone();
        self.places.insert(key, self.store.len());
        self.store.push(message.clone());
        if self.watching && (self.well || !self.chance.one_in(5)) {
            let event = ServerEvent::MessagePosted {
                upload_id: upload_id(),
                message,
            };
            self.on_the_way.push(Input::Frame(Some(event)));
        }
    }

    pub(super) fn beacon(&mut self) {
        if self.watching {
            let head = head(&self.store);
            let event = ServerEvent::HeadAdvanced {
                upload_id: upload_id(),
                head,
            };
            self.on_the_way.push(Input::Frame(Some(event)));
        }
    }

    /// Something on its way arrives: the oldest when the network is well, any of it otherwise, perhaps twice.
    pub(super) fn arrive(&mut self) {
        if self.on_the_way.is_empty() {
            return;
        }
        let place = if self.well {
            0
        } else {
            self.chance.below(self.on_the_way.len())
        };
        let input = self.on_the_way.remove(place);
        match &input {
            Input::Fetched(_) => self.fetches -= 1,
            Input::Answered(..) => self.posts -= 1,
            Input::Line(LineEvent::Closed(_)) => self.open = false,
            Input::Frame(_) if !self.well && self.chance.one_in(6) => {
                self.on_the_way.push(input.clone());
            }
            _ => {}
        }
        self.give(input);
    }

    pub(super) fn run_out(&mut self) {
        if let Some((&slot, &(at, timer))) = self.timers.iter().min_by_key(|(_, (at, _))| *at) {
            self.timers.remove(&slot);
            self.millis = self.millis.max(at);
            self.give(Input::Line(LineEvent::Timer(timer)));
        }
    }
}

pub(super) fn head(store: &[Message]) -> Seq {
    store.last().map_or(Seq::ZERO, |message| message.seq)
}

pub(super) fn other(store: &[Message]) -> Message {
    message(head(store).next().get())
}
