//! A conversation under a network that drops, doubles, delays and reorders: whatever happens, the list is dense and
//! in order at every moment, and once the network is well it equals the store.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::effect::{Effect, Now, Timer};
use super::failure::ApiFailure;
use super::fixture::{stored, unsent, upload_id};
use super::line::LineEvent;
use super::machine::{Input, Machine};
use super::{Connection, Delivery, Entry};
use crate::event::{ClientCommand, ServerEvent};
use crate::model::{ClientMessageId, Message, MessagePage, NewMessage, Seq};

const SEEDS: u64 = 40;
const STEPS: usize = 300;
const NEWEST: usize = 50;

/// `SplitMix64` (Steele, Lea, Flood 2014): small, seeded, good enough.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

struct World {
    chance: Chance,
    millis: u64,
    /// While true, everything goes through, in order.
    well: bool,
    store: Vec<Message>,
    /// Where in the store a message is.
    places: HashMap<ClientMessageId, usize>,
    machine: Machine,
    /// Whether the machine holds an open socket, and whether the node watches for it.
    open: bool,
    watching: bool,
    /// Frames and answers on their way to the tab.
    on_the_way: Vec<Input>,
    timers: BTreeMap<u8, (u64, Timer)>,
    written: usize,
    /// Posts under way, to see that there is one at a time.
    posts: usize,
    fetches: usize,
}

impl World {
    fn new(seed: u64) -> Self {
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

    fn give(&mut self, input: Input) {
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

    fn carry_out(&mut self) {
        for effect in self.machine.take_effects() {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
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
            Effect::Disconnect => self.disconnect(),
            Effect::Tell(ClientCommand::Watch { after, .. }) if self.open => self.watch(after),
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
            Effect::Tell(_) | Effect::Remember(_) => {}
        }
    }

    fn disconnect(&mut self) {
        self.open = false;
        self.watching = false;
        self.on_the_way
            .retain(|it| !matches!(it, Input::Frame(_) | Input::Line(_)));
    }

    fn watch(&mut self, after: Option<Seq>) {
        if !self.well && self.chance.one_in(8) {
            return;
        }
        self.watching = true;
        let after = after.unwrap_or_default();
        let mut messages = self.page(|message| message.seq > after).messages;
        if self.chance.one_in(2) {
            messages.clear();
        }
        let event = ServerEvent::Watched {
            upload_id: upload_id(),
            head: head(&self.store),
            messages,
        };
        self.on_the_way.push(Input::Frame(Some(event)));
    }

    fn page(&self, wanted: impl Fn(&Message) -> bool) -> MessagePage {
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

    fn unless_unlucky<T>(&mut self, answer: T) -> Result<T, ApiFailure> {
        if !self.well && self.chance.one_in(4) {
            Err(ApiFailure::Unreachable)
        } else {
            Ok(answer)
        }
    }

    fn post(&mut self, new: NewMessage) {
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

    fn append(&mut self, message: Message) {
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

    fn beacon(&mut self) {
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
    fn arrive(&mut self) {
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
        self.check();
    }

    fn run_out(&mut self) {
        if let Some((&slot, &(at, timer))) = self.timers.iter().min_by_key(|(_, (at, _))| *at) {
            self.timers.remove(&slot);
            self.millis = self.millis.max(at);
            self.give(Input::Line(LineEvent::Timer(timer)));
        }
    }

    fn step(&mut self) {
        match self.chance.below(20) {
            0..8 => self.arrive(),
            8..11 => self.append(other(&self.store)),
            11 => self.write(),
            12 => self.retry(),
            13 => self.beacon(),
            14 => self.give(Input::LoadOlder),
            15 if self.open => {
                self.disconnect();
                self.give(Input::Line(LineEvent::Closed(1006)));
            }
            16 => {
                let whims = [
                    LineEvent::Online,
                    LineEvent::Offline,
                    LineEvent::Shown,
                    LineEvent::Hidden,
                    LineEvent::Left,
                    LineEvent::Restored,
                ];
                let whim = whims[self.chance.below(whims.len())];
                self.give(Input::Line(whim));
            }
            _ => self.run_out(),
        }
        self.check();
    }

    fn write(&mut self) {
        self.written += 1;
        self.machine.send(unsent(&format!("own-{}", self.written)));
        self.carry_out();
    }

    fn retry(&mut self) {
        for entry in self.machine.entries() {
            if matches!(entry.delivery, Delivery::Failed { .. }) {
                self.give(Input::Retry(entry.key));
            }
        }
    }

    /// What holds at every moment: the list is a stretch of the store without holes, then unsent messages of one's
    /// own, and nothing is there twice.
    fn check(&self) {
        let entries = self.machine.entries();
        let places: Vec<Option<usize>> =
            entries.iter().map(|entry| self.place(&entry.key)).collect();
        let first = places.first().copied().flatten().unwrap_or_default();
        let dense = (first..)
            .zip(&places)
            .take_while(|(due, place)| **place == Some(*due));
        let dense = dense.count();
        for entry in &entries[dense..] {
            assert!(entry.mine, "{} is out of order", entry.key);
        }
        let mut listed = HashSet::new();
        for entry in &entries {
            assert!(listed.insert(&entry.key), "{} is listed twice", entry.key);
            assert_eq!(entry.mine, entry.key.as_str().starts_with("own"));
        }
    }

    fn place(&self, key: &ClientMessageId) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// The network is well from now on, and everyone waits until nothing happens any more.
    fn recover(&mut self) {
        self.well = true;
        self.give(Input::Line(LineEvent::Restored));
        self.give(Input::Line(LineEvent::Shown));
        self.give(Input::Line(LineEvent::Online));
        for _ in 0..2_000 {
            self.retry();
            self.beacon();
            while !self.on_the_way.is_empty() {
                self.arrive();
            }
            if self.is_whole() {
                return;
            }
            self.run_out();
        }
        panic!("it never became whole: {:?}", self.machine);
    }

    fn is_whole(&self) -> bool {
        let sent = |entry: &Entry| entry.delivery == Delivery::Sent;
        let up = matches!(
            self.machine.connection(),
            Connection::Live | Connection::CaughtUp { .. }
        );
        let last = self.machine.entries().last().map(|entry| entry.key.clone());
        up && self.machine.entries().iter().all(sent)
            && last.as_ref() == self.store.last().map(|message| &message.client_message_id)
    }
}

fn head(store: &[Message]) -> Seq {
    store.last().map_or(Seq::ZERO, |message| message.seq)
}

fn other(store: &[Message]) -> Message {
    super::fixture::message(head(store).next().get())
}

#[test]
fn after_any_trouble_the_list_equals_the_store() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.give(Input::Line(LineEvent::Start));
        for _ in 0..STEPS {
            world.step();
        }
        world.recover();
        let entries = world.machine.entries();
        let listed: Vec<_> = entries
            .iter()
            .map(|entry| (&entry.key, &entry.content))
            .collect();
        let store: Vec<_> = world
            .store
            .iter()
            .map(|it| (&it.client_message_id, &it.content))
            .collect();
        assert_eq!(listed, store[store.len() - listed.len()..], "seed {seed}");
        let own = entries.iter().filter(|entry| entry.mine).count();
        assert_eq!(
            own, world.written,
            "seed {seed}: own messages are stored once each"
        );
    }
}

#[test]
fn with_a_well_network_own_messages_keep_the_order_in_which_they_were_written() {
    let mut world = World::new(1);
    world.well = true;
    world.give(Input::Line(LineEvent::Start));
    for _ in 0..40 {
        world.write();
        world.append(other(&world.store));
    }
    world.recover();
    let own: Vec<String> = world
        .store
        .iter()
        .map(|message| message.client_message_id.to_string())
        .filter(|key| key.starts_with("own"))
        .collect();
    assert_eq!(
        own,
        (1..=40).map(|i| format!("own-{i}")).collect::<Vec<_>>()
    );
}
