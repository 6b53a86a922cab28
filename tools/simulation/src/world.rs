//! Everything outside the nodes' processes: the network, the clients, and what happens next.
//!
//! The world has one queue of events. Between two of them the processes take turns: each runs until the time of the next
//! event, or until it has written, published or answered something, which becomes events in turn. A process may so be
//! ahead of another by at most [`MAX_STEP`], as if its clock were fast; what it gets is then late by that much.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::live::failure::ApiFailure;
use app::live::machine::Input;
use app::model::{MessageId, Seq, UploadId};
use rand::RngExt;
use server::broker::Frame;
use server::random;

use crate::Millis;
use crate::api::{Answer, Call, UploadDeleted};
use crate::broker::Published;
use crate::client::Client;
use crate::event::Event;
use crate::links::{BrokerLink, Links, chance};
use crate::node::{Process, ProcessId, Shared};
use crate::sockets::Socket;
use crate::trace::Trace;
use crate::watchdog::Watchdog;

/// The number of nodes.
const NODES: usize = 3;
/// How far the processes may run before the world looks again.
const MAX_STEP: Millis = 100;
/// How often the world looks at one time. More often means that a task spins.
const MAX_STEPS_AT_ONCE: u32 = 100_000;

/// A node: what stays when its process ends.
pub struct Node {
    pub number: usize,
    pub process: Option<Process>,
    pub links: Links,
    pub frozen_since: Option<Millis>,
    /// What has arrived for it while it was frozen.
    pub held: Vec<Event>,
    /// Since when it runs without a pause.
    pub runs_since: Millis,
    /// Whether a fault affects it.
    pub is_faulty: bool,
}

/// The world.
pub struct World {
    pub now: Millis,
    queue: BTreeMap<(Millis, u64), Event>,
    events: u64,
    steps_at_once: u32,
    pub nodes: Vec<Node>,
    processes: ProcessId,
    pub shared: Shared,
    pub clients: BTreeMap<usize, Client>,
    pub sockets: BTreeMap<u64, Socket>,
    /// The number that the next client, socket or call gets.
    pub next_number: u64,
    /// When the last frame from one process to another arrives.
    last_arrival: BTreeMap<(ProcessId, ProcessId), Millis>,
    /// What was answered with success.
    pub acknowledged: Vec<(UploadId, Seq, MessageId)>,
    /// Uploads whose deletion was answered with success.
    pub deleted: Vec<UploadId>,
    /// Whether faults begin.
    pub is_stormy: bool,
    /// Whether all faults are over, and what they have caused.
    pub is_calm: bool,
    /// Whether users act.
    pub is_busy: bool,
    /// The heads of the logs at the last checks.
    pub heads: BTreeMap<UploadId, Vec<(Millis, Seq)>>,
    pub faults: u64,
    /// How many of them have not ended.
    pub open_faults: u64,
    pub violation: Option<String>,
    watchdog: Watchdog,
}

impl World {
    /// Creates a cluster without clients.
    pub fn new(trace: Trace, watchdog: Watchdog) -> Self {
        let shared = Shared {
            data: Arc::default(),
            bus: Arc::default(),
            answers: Arc::default(),
            trace,
        };
        let node = |number| Node {
            number,
            process: None,
            links: Links::default(),
            frozen_since: None,
            held: Vec::new(),
            runs_since: 0,
            is_faulty: false,
        };
        let mut world = Self {
            now: 0,
            queue: BTreeMap::new(),
            events: 0,
            steps_at_once: 0,
            nodes: (0..NODES).map(node).collect(),
            processes: 0,
            shared,
            clients: BTreeMap::new(),
            sockets: BTreeMap::new(),
            next_number: 0,
            last_arrival: BTreeMap::new(),
            acknowledged: Vec::new(),
            deleted: Vec::new(),
            is_stormy: false,
            is_calm: false,
            is_busy: false,
            heads: BTreeMap::new(),
            faults: 0,
            open_faults: 0,
            violation: None,
            watchdog,
        };
        (0..NODES).for_each(|node| world.start(node));
        world.after(1_000, Event::Check);
        world
    }

    /// Adds an event, so many milliseconds from now.
    pub fn after(&mut self, millis: Millis, event: Event) {
        self.at(self.now + millis, event);
    }

    /// Adds an event. Those of the same time happen in the order in which they were added.
    pub fn at(&mut self, at: Millis, event: Event) {
        self.events += 1;
        self.queue.insert((at, self.events), event);
    }

    /// A number that no client, socket or call has.
    pub fn new_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Adds a line to the trace.
    pub fn trace(&self, who: impl std::fmt::Display, what: impl std::fmt::Display) {
        self.shared.trace.line(self.now, who, what);
    }

    /// Records that a property does not hold. The first one counts.
    pub fn violate(&mut self, what: String) {
        self.trace("!", &what);
        self.violation.get_or_insert(what);
    }

    /// Starts the process of a node.
    pub fn start(&mut self, node: usize) {
        self.processes += 1;
        let node = &mut self.nodes[node];
        let process = Process::start(
            self.processes,
            node.number,
            self.now,
            &node.links,
            &self.shared,
        );
        node.process = Some(process);
        node.runs_since = self.now;
    }

    /// Kills the process of a node.
    pub fn kill(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        node.frozen_since = None;
        node.held.clear();
        if let Some(process) = node.process.take() {
            let id = process.id;
            drop(process);
            lock(&self.shared.bus)
                .subscribed
                .retain(|(_, other)| *other != id);
        }
    }

    /// The node of a process that still runs.
    pub fn node_of(&mut self, process: ProcessId) -> Option<&mut Node> {
        let mut nodes = self.nodes.iter_mut();
        nodes.find(|node| node.process.as_ref().is_some_and(|it| it.id == process))
    }

    /// Lets this much time pass, unless a property is violated.
    pub fn run_for(&mut self, millis: Millis) {
        self.run_until(millis, |_| false);
    }

    /// Lets time pass until it is so, or this much has passed, or a property is violated.
    pub fn run_until(&mut self, millis: Millis, is_done: impl Fn(&Self) -> bool) {
        let end = self.now + millis;
        while self.now < end && self.violation.is_none() && !is_done(self) {
            self.step(end);
        }
    }

    fn step(&mut self, end: Millis) {
        let before = self.now;
        let next = self.queue.first_key_value().map_or(end, |((at, _), _)| *at);
        let mut reached = next.min(end).min(self.now + MAX_STEP);
        for node in self.nodes.iter().filter(|node| node.frozen_since.is_none()) {
            if let Some(process) = &node.process {
                reached = reached.min(process.run_until(reached));
            }
        }
        self.watchdog.pat();
        self.now = self.now.max(reached);
        self.collect();
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= self.now
        {
            let event = entry.remove();
            self.handle(event);
        }
        self.steps_at_once = if self.now == before {
            self.steps_at_once + 1
        } else {
            0
        };
        if self.steps_at_once > MAX_STEPS_AT_ONCE {
            self.violate("a task spins: time does not pass".into());
        }
    }

    /// Turns what the processes have done into events.
    fn collect(&mut self) {
        let published = std::mem::take(&mut lock(&self.shared.bus).published);
        for published in published {
            self.send(&published);
        }
        let answers = std::mem::take(&mut *lock(&self.shared.answers));
        for answer in answers {
            self.after(latency(), Event::Answer(answer));
        }
        self.read_sockets();
    }

    /// Sends a published frame to all processes that are subscribed.
    fn send(&mut self, Published { by, topic, frame }: &Published) {
        self.trace(
            format_args!("p{by}"),
            format_args!("publish {}", frame.text),
        );
        let all = (*topic, 0)..=(*topic, ProcessId::MAX);
        let subscribed: Vec<_> = lock(&self.shared.bus)
            .subscribed
            .range(all)
            .copied()
            .collect();
        for (_, to) in subscribed {
            let link = self.node_of(to).map(|node| node.links.broker());
            let is_unreliable = link == Some(BrokerLink::Unreliable);
            if is_unreliable && chance(15) {
                continue;
            }
            let copies = 1 + usize::from(is_unreliable && chance(10));
            for _ in 0..copies {
                let arrival = if is_unreliable && chance(30) {
                    self.now + random::rng().random_range(1..3_000)
                } else {
                    let last = self.last_arrival.entry((*by, to)).or_default();
                    *last = (*last).max(self.now + random::rng().random_range(1..4));
                    *last
                };
                let (topic, frame) = (*topic, frame.clone());
                self.at(arrival, Event::Deliver { to, topic, frame });
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Deliver { to, topic, frame } => self.deliver(to, topic, frame),
            Event::Accept(socket) => self.accept(socket),
            Event::Opened(socket) => self.on_opened(socket),
            Event::ToNode(socket, bytes) => self.write_to_node(socket, &bytes),
            Event::Read(socket) => self.read(socket),
            Event::Call {
                client,
                number,
                node,
                call,
            } => self.pass_on(client, number, node, call),
            Event::Answer(answer) => self.on_answer(answer),
            Event::GiveUp { client, number } => self.give_up(client, number),
            Event::Timer {
                client,
                timer,
                generation,
            } => {
                let known = self.clients.get(&client);
                if known.is_some_and(|it| it.timers[timer as usize] == generation) {
                    self.give(client, Input::Timer(timer));
                }
            }
            Event::Act(client) => self.act(client),
            Event::Check => {
                self.check();
                self.after(1_000, Event::Check);
            }
            Event::BeginFault => self.begin_fault(),
            Event::EndFault(fault) => self.end_fault(fault),
        }
    }

    fn pass_on(&mut self, client: usize, number: u64, node: usize, call: Call) {
        let process = self.nodes[node].process.as_ref();
        if let Some(process) = process.filter(|it| it.listens()) {
            process.call(client, number, call);
        } else {
            let input = call.what.failed(ApiFailure::Unreachable);
            let answer = Answer {
                client,
                number,
                input,
            };
            self.after(latency(), Event::Answer(answer));
        }
    }

    fn deliver(&mut self, to: ProcessId, topic: UploadId, frame: Frame) {
        let is_subscribed = lock(&self.shared.bus).subscribed.contains(&(topic, to));
        let Some(node) = self.node_of(to).filter(|_| is_subscribed) else {
            return;
        };
        if node.links.broker() == BrokerLink::Cut {
            return;
        }
        if node.frozen_since.is_some() {
            node.held.push(Event::Deliver { to, topic, frame });
        } else if let Some(process) = &node.process {
            process.deliver(topic, frame);
        }
    }

    fn on_answer(&mut self, answer: Answer) {
        match answer.input {
            Ok(input) => self.give_answer(answer.client, answer.number, input),
            Err(UploadDeleted(is_gone)) => {
                if let Some(client) = self.clients.get_mut(&answer.client) {
                    client.calls.remove(&answer.number);
                    self.deleted.extend(is_gone.then_some(client.upload));
                }
            }
        }
    }
}

/// How long something takes between a client and a node.
pub fn latency() -> Millis {
    random::rng().random_range(5..50)
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
