//! The faults of a run. Each begins at some time, and ends some time later.

use app::live::connection::ConnectionEvent;
use app::live::machine::Input;
use rand::RngExt;
use server::random;

use crate::Millis;
use crate::event::Event;
use crate::links::{BrokerLink, StoreLink};
use crate::world::World;

/// The pause between the beginnings of two faults, in milliseconds.
const PAUSE: std::ops::Range<Millis> = 100..10_000;
/// How long a fault lasts.
const DURATION: std::ops::Range<Millis> = 500..45_000;
/// A node notices after this time that its subscription is lost.
const NOTICED_AFTER: Millis = 5_000;
/// A node that was frozen for longer has lost its connection to the broker.
const MAX_HELD: Millis = 10_000;
/// How long a node that stops may take, which is what it gives its sockets.
const STOPPED_AFTER: Millis = 12_000;
/// By how many milliseconds a clock on the wall jumps, at most.
const MAX_JUMP: i64 = 600_000;

/// A fault, with its node or its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Killed(usize),
    Stopped(usize),
    Frozen(usize),
    StoreIs(StoreLink, usize),
    BrokerIs(BrokerLink, usize),
    /// The node has noticed that its subscription is lost.
    Noticed(usize),
    ClockJumps(usize),
    ClientStalls(usize),
    ClientVanishes(usize),
    ClientIsOffline(usize),
}

impl World {
    /// Begins a fault, if it is stormy, and plans the next one.
    pub fn begin_fault(&mut self) {
        if !self.is_stormy {
            return;
        }
        let mut rng = random::rng();
        let node = rng.random_range(0..self.nodes.len());
        let clients: Vec<_> = self.clients.keys().copied().collect();
        let client = clients[rng.random_range(0..clients.len())];
        let duration = rng.random_range(DURATION);
        let fault = match rng.random_range(0..13) {
            0 => Fault::Killed(node),
            1 => Fault::Stopped(node),
            2 => Fault::Frozen(node),
            3 => Fault::StoreIs(StoreLink::Slow, node),
            4 | 5 => Fault::StoreIs(StoreLink::Failing, node),
            6 | 7 => Fault::BrokerIs(BrokerLink::Unreliable, node),
            8 => Fault::BrokerIs(BrokerLink::Cut, node),
            9 => Fault::ClockJumps(node),
            10 => Fault::ClientStalls(client),
            11 => Fault::ClientVanishes(client),
            _ => Fault::ClientIsOffline(client),
        };
        self.begin(fault, duration);
        let pause = rng.random_range(PAUSE);
        self.after(pause, Event::BeginFault);
    }

    /// Begins a fault for so many milliseconds, unless another one affects its node.
    fn begin(&mut self, fault: Fault, duration: Millis) {
        let mut duration = duration;
        if let Some(node) = fault.node() {
            if self.nodes[node].is_faulty {
                return;
            }
            self.nodes[node].is_faulty = true;
        }
        self.faults += 1;
        self.open_faults += 1;
        self.trace("!", format_args!("{fault:?} for {duration} ms"));
        match fault {
            Fault::Killed(node) => self.kill(node),
            Fault::Stopped(node) => {
                if let Some(process) = &self.nodes[node].process {
                    process.stop();
                }
                duration = STOPPED_AFTER;
            }
            Fault::Frozen(node) => self.nodes[node].frozen_since = Some(self.now),
            Fault::StoreIs(link, node) => self.nodes[node].links.set_store(link),
            Fault::BrokerIs(link, node) => {
                self.nodes[node].links.set_broker(link);
                if link == BrokerLink::Cut && duration > NOTICED_AFTER {
                    self.after(NOTICED_AFTER, Event::EndFault(Fault::Noticed(node)));
                }
            }
            Fault::ClockJumps(node) => {
                if let Some(process) = &mut self.nodes[node].process {
                    process.wall_error = random::rng().random_range(-MAX_JUMP..=MAX_JUMP);
                }
            }
            Fault::ClientStalls(client) => self.set_stalled(client, true),
            Fault::ClientVanishes(client) => self.vanish(client),
            Fault::ClientIsOffline(client) => {
                self.vanish(client);
                self.give(client, Input::Connection(ConnectionEvent::Offline));
            }
            Fault::Noticed(_) => {}
        }
        self.after(duration, Event::EndFault(fault));
    }

    /// Ends a fault.
    pub fn end_fault(&mut self, fault: Fault) {
        self.trace("!", format_args!("end of {fault:?}"));
        match fault {
            Fault::Noticed(node) => {
                if let Some(process) = &self.nodes[node].process {
                    process.interrupt();
                }
                return;
            }
            Fault::Killed(node) => self.start(node),
            Fault::Stopped(node) => {
                let process = self.nodes[node].process.as_ref();
                if process.is_some_and(|process| !process.has_stopped()) {
                    self.violate(format!("n{node} does not stop within {STOPPED_AFTER} ms"));
                }
                self.kill(node);
                self.start(node);
            }
            Fault::Frozen(node) => self.thaw(node),
            Fault::StoreIs(_, node) => self.nodes[node].links.set_store(StoreLink::Fine),
            Fault::BrokerIs(link, node) => {
                self.nodes[node].links.set_broker(BrokerLink::Fine);
                if let Some(process) = self.nodes[node].process.as_ref()
                    && link == BrokerLink::Cut
                {
                    process.repair();
                }
            }
            Fault::ClockJumps(node) => {
                if let Some(process) = &mut self.nodes[node].process {
                    process.wall_error = 0;
                }
            }
            Fault::ClientStalls(client) => self.set_stalled(client, false),
            Fault::ClientVanishes(_) => {}
            Fault::ClientIsOffline(client) => {
                self.give(client, Input::Connection(ConnectionEvent::Online));
            }
        }
        if let Some(node) = fault.node() {
            self.nodes[node].is_faulty = false;
        }
        self.open_faults -= 1;
    }

    /// Lets a client stop reading, or read again.
    pub fn set_stalled(&mut self, client: usize, is_stalled: bool) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.is_stalled = is_stalled;
        }
    }

    fn thaw(&mut self, node: usize) {
        let now = self.now;
        let node = &mut self.nodes[node];
        let frozen_since = node.frozen_since.take().unwrap_or(now);
        node.runs_since = now;
        let held = std::mem::take(&mut node.held);
        let Some(process) = &node.process else {
            return;
        };
        process.skip_to(now);
        if now - frozen_since > MAX_HELD {
            process.interrupt();
            process.repair();
        } else {
            for event in held {
                self.at(now, event);
            }
        }
    }
}

impl Fault {
    fn node(self) -> Option<usize> {
        match self {
            Self::Killed(node)
            | Self::Stopped(node)
            | Self::Frozen(node)
            | Self::StoreIs(_, node)
            | Self::BrokerIs(_, node)
            | Self::ClockJumps(node) => Some(node),
            // The first is a part of another one.
            Self::Noticed(_)
            | Self::ClientStalls(_)
            | Self::ClientVanishes(_)
            | Self::ClientIsOffline(_) => None,
        }
    }
}
