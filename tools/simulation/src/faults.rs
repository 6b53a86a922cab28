//! The faults of a run. Each begins at some time, and ends some time later.

use std::collections::BTreeSet;

use app::live::connection::ConnectionEvent;
use app::live::machine::Input;
use app::model::MessageId;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use server::random;

use crate::Millis;
use crate::event::Event;
use crate::links::{BrokerLink, StoreLink};
use crate::property::Property;
use crate::world::{World, lock};

/// A node notices after this time that its subscription is lost.
const NOTICED_AFTER: Millis = 5_000;
/// A node that was frozen for longer has lost its connection to the broker.
const MAX_HELD: Millis = 10_000;
/// How long a node that stops may take, which is what it gives its sockets.
const STOPPED_AFTER: Millis = 12_000;
/// By how many milliseconds a clock on the wall jumps, at most. No upload expires too early by it.
const JUMPS: std::ops::RangeInclusive<i64> = -600_000..=120_000;
/// A client notices within this time that its connection carries nothing: it asks when nothing has come for 60 s, and
/// waits 10 s for an answer.
const CUT_OFF: Millis = 75_000;

/// A fault, with its node or its client. Clients are numbered within the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The client's connection is broken, and only the client knows it.
    ClientVanishes(usize),
    /// The client's connection carries nothing any more, and neither side knows it.
    ClientIsCutOff(usize),
    ClientIsOffline(usize),
    /// A backup of the store is made. When the fault ends, the nodes are stopped and it is restored.
    Restored,
}

/// What of a node a fault affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Process,
    Store,
    Broker,
}

impl World {
    /// Begins a fault for so many milliseconds, unless another one affects its node. Only those of its store and of its
    /// broker may last at the same time.
    pub fn begin(&mut self, fault: Fault, duration: Millis) {
        let duration = fault.lasts(duration);
        if fault == Fault::Restored && self.backup.is_some() {
            return;
        }
        if let Some((node, part)) = fault.affects() {
            let faulty = &mut self.nodes[node].faulty;
            let is_alone = faulty.is_empty() || part != Part::Process;
            if !is_alone || faulty.contains(&Part::Process) || !faulty.insert(part) {
                return;
            }
        }
        self.faults += 1;
        self.trace("!", format_args!("{fault:?} for {duration} ms"));
        match fault {
            Fault::Killed(node) => self.kill(node),
            Fault::Stopped(node) => {
                if let Some(process) = &self.nodes[node].process {
                    process.stop();
                }
            }
            Fault::Frozen(node) => self.nodes[node].frozen_since = Some(self.now),
            Fault::StoreIs(link, node) => self.nodes[node].links.set_store(link),
            Fault::BrokerIs(link, node) => {
                self.nodes[node].links.set_broker(link);
                if link == BrokerLink::Cut && duration > NOTICED_AFTER {
                    self.after(NOTICED_AFTER, Event::EndFault(Fault::Noticed(node)));
                }
                if let (BrokerLink::Lossy, Some(redis)) = (link, &self.shared.redis)
                    && let Some(process) = &self.nodes[node].process
                {
                    lock(redis).break_connections(process.id);
                }
            }
            Fault::ClockJumps(node) => {
                if let Some(process) = &mut self.nodes[node].process {
                    process.wall_error = random::rng().random_range(JUMPS);
                }
            }
            Fault::ClientStalls(client) => self.set_stalled(self.guest(client), true),
            Fault::ClientVanishes(client) => self.vanish(self.guest(client)),
            Fault::ClientIsCutOff(client) => self.cut_off(self.guest(client)),
            Fault::ClientIsOffline(client) => {
                let client = self.guest(client);
                self.vanish(client);
                self.give(client, Input::Connection(ConnectionEvent::Offline));
            }
            Fault::Restored => self.backup = Some(self.shared.data.backup()),
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
                if process.is_some_and(|process| !process.listens() && !process.has_stopped()) {
                    let what = format!("n{node} does not stop within {STOPPED_AFTER} ms");
                    self.violate(Property::Stops, what);
                }
                self.kill(node);
                self.start(node);
            }
            Fault::Frozen(node) => self.thaw(node),
            Fault::StoreIs(_, node) => self.nodes[node].links.set_store(StoreLink::Fine),
            Fault::BrokerIs(link, node) => {
                self.nodes[node].links.set_broker(BrokerLink::Fine);
                if link == BrokerLink::Cut {
                    self.repair(node);
                }
            }
            Fault::ClockJumps(node) => {
                if let Some(process) = &mut self.nodes[node].process {
                    process.wall_error = 0;
                }
            }
            Fault::ClientStalls(client) => self.set_stalled(self.guest(client), false),
            Fault::ClientVanishes(_) | Fault::ClientIsCutOff(_) => {}
            Fault::ClientIsOffline(client) => {
                let online = Input::Connection(ConnectionEvent::Online);
                self.give(self.guest(client), online);
            }
            Fault::Restored => self.restore(),
        }
        if let Some((node, part)) = fault.affects() {
            self.nodes[node].faulty.remove(&part);
            self.nodes[node].works_since = self.now;
        }
    }

    /// Restores the backup as the manual says, while no node runs. What was stored since is lost, also where that was
    /// acknowledged.
    fn restore(&mut self) {
        let Some(backup) = self.backup.take() else {
            return;
        };
        let uploads: Vec<_> = self.heads.keys().copied().collect();
        let ids = |world: &Self| -> BTreeSet<MessageId> {
            let logs = uploads.iter().filter_map(|it| world.log(*it, usize::MAX));
            logs.flat_map(|page| page.entries)
                .map(|it| it.id())
                .collect()
        };
        let nodes = self.nodes.iter().filter(|node| node.process.is_some());
        let stopped: Vec<_> = nodes.map(|node| node.number).collect();
        for node in &stopped {
            self.kill(*node);
        }
        let before = ids(self);
        self.shared.data.restore(backup);
        let after = ids(self);
        for node in stopped {
            self.start(node);
        }
        self.lost.extend(before.difference(&after));
        self.heads.values_mut().for_each(Vec::clear);
    }

    /// Lets a client stop reading, or read again.
    pub fn set_stalled(&mut self, client: usize, is_stalled: bool) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.is_stalled = is_stalled;
            let socket = client.socket;
            if let Some(socket) = socket.and_then(|socket| self.sockets.get_mut(&socket)) {
                socket.protocol.is_uncertain = true;
            }
        }
    }

    /// Tells a node that its subscription works again, unless it notices that itself.
    fn repair(&mut self, node: usize) {
        let process = self.nodes[node].process.as_ref();
        if let Some(process) = process.filter(|it| it.is_told_of_interruptions()) {
            process.repair();
            self.record_known(node);
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
            if node.links.broker() != BrokerLink::Cut {
                let number = node.number;
                self.repair(number);
            }
        } else {
            for event in held {
                self.at(now, event);
            }
        }
    }
}

impl Fault {
    /// How long it lasts, if that is not planned.
    pub fn lasts(self, planned: Millis) -> Millis {
        match self {
            Self::Stopped(_) => STOPPED_AFTER,
            Self::ClientIsCutOff(_) => CUT_OFF,
            // It comes back at once.
            Self::ClientVanishes(_) => 0,
            _ => planned,
        }
    }

    /// The number of its client.
    pub fn client_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::ClientStalls(client)
            | Self::ClientVanishes(client)
            | Self::ClientIsCutOff(client)
            | Self::ClientIsOffline(client) => Some(client),
            _ => None,
        }
    }

    /// The node that it affects, and what of it.
    fn affects(self) -> Option<(usize, Part)> {
        match self {
            Self::Killed(node)
            | Self::Stopped(node)
            | Self::Frozen(node)
            | Self::ClockJumps(node) => Some((node, Part::Process)),
            Self::StoreIs(_, node) => Some((node, Part::Store)),
            Self::BrokerIs(_, node) => Some((node, Part::Broker)),
            // The first is a part of another one.
            Self::Noticed(_)
            | Self::ClientStalls(_)
            | Self::ClientVanishes(_)
            | Self::ClientIsCutOff(_)
            | Self::ClientIsOffline(_)
            | Self::Restored => None,
        }
    }
}
