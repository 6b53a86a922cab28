//! A conversation over a bad network: whatever happens, the list is dense and in order at every moment, and once the
//! network is well it equals the store.

use std::collections::HashSet;

use super::super::line::LineEvent;
use super::super::machine::Input;
use super::super::{Connection, Delivery, Entry};
use super::fixture::unsent;
use super::world::{World, other};
use crate::model::ClientMessageId;

const SEEDS: u64 = 40;
const STEPS: usize = 300;

impl World {
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
                self.check();
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
