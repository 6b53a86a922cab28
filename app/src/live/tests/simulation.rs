//! A conversation over an unreliable network: the list is in order and without gaps at every moment, and once the
//! network is reliable it ends as the store does.

use std::collections::HashSet;

use super::super::connection::ConnectionEvent;
use super::super::machine::Input;
use super::super::{Connection, Delivery, ListedEntry, ListedMessage};
use super::fixture::unsent;
use super::harness::entries;
use super::world::World;
use crate::model::{ClientMessageId, LogEntry, Seq};

const SEEDS: u64 = 40;
const STEPS: usize = 300;

impl World {
    fn step(&mut self) {
        match self.rng.below(20) {
            _ if !self.watching && self.rng.one_in(40) => self.append_many(),
            0..8 => self.deliver(),
            8..10 => self.append_other(),
            10 => self.delete(),
            11 => self.write(),
            12 => self.retry(),
            13 => self.announce_head(),
            14 => self.give(Input::LoadOlder),
            15 if self.open => {
                self.disconnect();
                self.give(Input::Connection(ConnectionEvent::Closed(1006)));
            }
            16 => {
                let events = [
                    ConnectionEvent::Online,
                    ConnectionEvent::Offline,
                    ConnectionEvent::Visible,
                    ConnectionEvent::Hidden,
                    ConnectionEvent::PageHidden,
                    ConnectionEvent::PageShown,
                ];
                let event = events[self.rng.below(events.len())];
                self.give(Input::Connection(event));
            }
            _ => self.expire_timer(),
        }
        self.check();
    }

    fn write(&mut self) {
        self.written += 1;
        self.machine.send(unsent(&format!("own-{}", self.written)));
        self.perform_effects();
    }

    fn retry(&mut self) {
        for entry in entries(&self.machine) {
            if matches!(entry.delivery, Delivery::Failed { .. }) {
                self.give(Input::Retry(entry.key));
            }
        }
    }

    /// Checks what holds at every moment: the list is a part of the store without gaps, then unsent messages of this
    /// tab, and no message is listed twice.
    fn check(&self) {
        let entries = entries(&self.machine);
        if self.restores > 0 {
            // Until the machine has noticed it, the list is of the first history.
            let is_lost =
                |entry: &ListedMessage| !entry.mine && !self.places.contains_key(&entry.key);
            let is_later = |entry: &ListedMessage| entry.key.as_str().starts_with("again");
            let is_mixed = entries.iter().any(is_lost) && entries.iter().any(is_later);
            assert!(!is_mixed, "two histories: {entries:?}");
            return;
        }
        let (first, listed) = self.machine.listed();
        let stored = self.stored_from(first);
        assert!(stored.len() >= listed.len());
        for (listed, stored) in listed.iter().zip(stored) {
            assert_eq!(listed.id, stored.id(), "{} is out of order", stored.seq());
        }
        assert!(self.machine.unsent().iter().all(|entry| entry.mine));
        let mut keys = HashSet::new();
        for entry in &entries {
            assert!(keys.insert(&entry.key), "{} is listed twice", entry.key);
            assert_eq!(entry.mine, entry.key.as_str().starts_with("own"));
        }
    }

    /// What is stored from this number on.
    fn stored_from(&self, first: Seq) -> &[LogEntry] {
        &self.store[usize::try_from(first.get()).unwrap() - 1..]
    }

    /// Checks that the list is the end of the store: the same messages, and nothing of deleted ones.
    fn check_end(&self) {
        let (first, listed) = self.machine.listed();
        let content = |listed: &ListedEntry| listed.message.as_ref().map(|it| it.content.clone());
        let listed: Vec<_> = listed.iter().map(|it| (it.id, content(it))).collect();
        let content = |entry: &LogEntry| entry.message().map(|it| it.content.clone());
        let stored = self.stored_from(first).iter();
        let stored: Vec<_> = stored.map(|it| (it.id(), content(it))).collect();
        assert_eq!(listed, stored);
        assert!(self.machine.unsent().is_empty());
    }

    /// Makes the network reliable, and waits until the list ends as the store does.
    fn recover(&mut self) {
        self.reliable = true;
        self.give(Input::Connection(ConnectionEvent::PageShown));
        self.give(Input::Connection(ConnectionEvent::Visible));
        self.give(Input::Connection(ConnectionEvent::Online));
        for _ in 0..2_000 {
            self.retry();
            self.announce_head();
            while !self.in_flight.is_empty() {
                self.deliver();
                self.check();
            }
            if self.is_complete() {
                return;
            }
            self.expire_timer();
        }
        panic!("it never became complete: {:?}", self.machine);
    }

    fn is_complete(&self) -> bool {
        let up = matches!(
            self.machine.connection(),
            Connection::Live | Connection::CaughtUp { .. }
        );
        let last = self.machine.listed().1.last().map(|listed| listed.id);
        up && self.machine.unsent().is_empty() && last == self.store.last().map(LogEntry::id)
    }
}

#[test]
fn after_any_failures_the_list_ends_as_the_store_does() {
    let mut skipped = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.give(Input::Connection(ConnectionEvent::Mounted));
        for _ in 0..STEPS {
            world.step();
        }
        world.recover();
        world.check_end();
        let is_own = |key: &&ClientMessageId| key.as_str().starts_with("own");
        let own = world.places.keys().filter(is_own).count();
        assert_eq!(
            own, world.written,
            "seed {seed}: own messages are stored once each"
        );
        skipped += world.skipped;
    }
    assert!(
        skipped > 0,
        "some clients missed more than one request brings"
    );
}

#[test]
fn after_a_restore_the_list_ends_as_the_restored_store_does() {
    let mut restarts = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.give(Input::Connection(ConnectionEvent::Mounted));
        for _ in 0..STEPS {
            world.step();
        }
        world.restore();
        // Few, so that seldom so much is posted that the list would be replaced anyway.
        for _ in 0..world.rng.below(20) {
            world.step();
        }
        world.recover();
        restarts += world.restarts;
        world.check_end();
    }
    assert!(restarts > 0, "some clients had what was lost");
}

#[test]
fn over_a_reliable_network_own_messages_keep_their_order() {
    let mut world = World::new(1);
    world.reliable = true;
    world.give(Input::Connection(ConnectionEvent::Mounted));
    for _ in 0..40 {
        world.write();
        world.append_other();
    }
    world.recover();
    let own: Vec<String> = world
        .store
        .iter()
        .filter_map(LogEntry::message)
        .map(|message| message.client_message_id.to_string())
        .filter(|key| key.starts_with("own"))
        .collect();
    assert_eq!(
        own,
        (1..=40).map(|i| format!("own-{i}")).collect::<Vec<_>>()
    );
}
