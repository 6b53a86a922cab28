//! Everything outside the nodes' processes: the network, the clients, and what happens next.
//!
//! The world has one queue of events. Between two of them the processes take turns: each runs until the time of the next
//! event, or until it has written, published or answered something, which becomes events in turn. A process may so be
//! ahead of another by at most [`MAX_STEP`], as if its clock were fast; what it gets is then late by that much. One that
//! has nothing to do is run only after [`MAX_DELAY`], and its timers are late by that much.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::live::failure::ApiFailure;
use app::live::machine::Input;
use app::model::{LogPage, MessageId, Seq, ShortId, UploadId};
use rand::RngExt;
use server::random;
use server::store::memory::Backup;

use crate::Millis;
use crate::api::{Answer, Call, UploadDeleted};
use crate::client::Client;
use crate::event::Event;
use crate::faults::Part;
use crate::links::{BrokerKind, BrokerLink, Links};
use crate::node::{Process, ProcessId, Shared};
use crate::plan::Planned;
use crate::progress::Progress;
use crate::property::{Property, Violation};
use crate::sockets::Socket;
use crate::trace::Trace;

/// The number of nodes.
pub const NODES: usize = 3;
/// How far the processes may run before the world looks again.
const MAX_STEP: Millis = 200;
/// How far a process that has nothing to do may be behind: most of what happens concerns one of them only.
const MAX_DELAY: Millis = 10;
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
    /// What of it faults affect.
    pub faulty: BTreeSet<Part>,
    /// Since when it runs, and store and broker answer it.
    pub works_since: Millis,
    /// The heads of the logs when its subscription was established or repaired: its answers are at least as new.
    pub heads: BTreeMap<UploadId, Seq>,
}

impl Node {
    /// How often its process has had nothing to do.
    pub fn wakeups(&self) -> u64 {
        self.process.as_ref().map_or(0, Process::wakeups)
    }

    /// Whether it runs, its store answers it, and it is not cut off from the broker.
    pub fn works(&self) -> bool {
        let is_faulty = |part| self.faulty.contains(&part);
        let is_cut_off = self.links.broker() == BrokerLink::Cut;
        !is_faulty(Part::Process) && !is_faulty(Part::Store) && !is_cut_off
    }
}

/// The world.
pub struct World {
    pub now: Millis,
    pub queue: BTreeMap<(Millis, u64), Event>,
    events: u64,
    steps_at_once: u32,
    pub nodes: Vec<Node>,
    processes: ProcessId,
    pub shared: Shared,
    pub clients: BTreeMap<usize, Client>,
    pub sockets: BTreeMap<u64, Socket>,
    /// How many clients there were.
    pub joined: usize,
    /// How many there were before this round.
    pub joined_before: usize,
    /// The number that the last socket or call got.
    last_number: u64,
    /// When the last frame from one process to another arrives.
    pub last_arrival: BTreeMap<(ProcessId, ProcessId), Millis>,
    /// The posts and the deletions that were answered with success.
    pub acknowledged: Vec<(UploadId, Seq, MessageId)>,
    pub acknowledged_deletions: Vec<(UploadId, Seq)>,
    /// Uploads whose deletion was answered with success.
    pub deleted: Vec<UploadId>,
    /// The backup that is going to be restored.
    pub backup: Option<Backup>,
    /// What was lost by that.
    pub lost: BTreeSet<MessageId>,
    /// Whether all faults are over, and what they have caused.
    pub is_calm: bool,
    /// Whether the uploads are being deleted or expire.
    pub is_ending: bool,
    /// Who stops reading in the calm.
    pub slow: Option<usize>,
    /// Pages as browsers have kept them: each as it was when somebody loaded it.
    pub kept_pages: BTreeMap<UploadId, LogPage>,
    /// The uploads of the round, with the keys of their images.
    pub uploads: BTreeMap<UploadId, ShortId>,
    /// The heads of the logs at the last checks.
    pub heads: BTreeMap<UploadId, Vec<(Millis, Seq)>>,
    pub faults: u64,
    pub violation: Option<Violation>,
    pub progress: Arc<Progress>,
}

impl World {
    /// Creates a cluster without clients.
    pub fn new(broker: BrokerKind, trace: Trace, progress: Arc<Progress>) -> Self {
        let shared = Shared {
            data: Arc::default(),
            images: Arc::default(),
            bus: Arc::default(),
            redis: (broker == BrokerKind::Redis).then(Arc::default),
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
            faulty: BTreeSet::new(),
            works_since: 0,
            heads: BTreeMap::new(),
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
            joined: 0,
            joined_before: 0,
            last_number: 0,
            last_arrival: BTreeMap::new(),
            acknowledged: Vec::new(),
            acknowledged_deletions: Vec::new(),
            deleted: Vec::new(),
            backup: None,
            lost: BTreeSet::new(),
            is_calm: false,
            is_ending: false,
            slow: None,
            kept_pages: BTreeMap::new(),
            uploads: BTreeMap::new(),
            heads: BTreeMap::new(),
            faults: 0,
            violation: None,
            progress,
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

    /// A number that no socket or call has.
    pub fn new_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// The number of a client that is numbered within the round.
    pub fn guest(&self, client: usize) -> usize {
        self.joined_before + 1 + client
    }

    /// Adds a line to the trace.
    pub fn trace(&self, who: impl std::fmt::Display, what: impl std::fmt::Display) {
        self.shared.trace.line(self.now, who, what);
    }

    /// Records that a property does not hold. The first one counts.
    pub fn violate(&mut self, property: Property, what: String) {
        if self.violation.is_none() {
            self.trace("!", format_args!("VIOLATED {property:?}: {what}"));
            self.violation = Some(Violation { property, what });
        }
    }

    /// Starts the process of a node.
    pub fn start(&mut self, node: usize) {
        self.processes += 1;
        self.trace(node_name(node), format_args!("starts p{}", self.processes));
        let node = &mut self.nodes[node];
        let process = Process::start(
            self.processes,
            node.number,
            self.now,
            &node.links,
            &self.shared,
        );
        node.process = Some(process);
        (node.runs_since, node.works_since) = (self.now, self.now);
        let number = node.number;
        self.record_known(number);
    }

    /// Kills the process of a node.
    pub fn kill(&mut self, node: usize) {
        self.trace(node_name(node), "ends");
        let node = &mut self.nodes[node];
        node.frozen_since = None;
        node.held.clear();
        if let Some(process) = node.process.take() {
            let id = process.id;
            drop(process);
            let bus = &mut *lock(&self.shared.bus);
            for heads in [&mut bus.subscribed, &mut bus.repaired] {
                heads.retain(|(_, other), _| *other != id);
            }
            if let Some(redis) = &self.shared.redis {
                lock(redis).remove_process(id);
            }
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
        let next = self.next_event().unwrap_or(end);
        let mut reached = next.min(end).min(self.now + MAX_STEP);
        for node in &mut self.nodes {
            let process = node.process.as_mut();
            let process = process.filter(|_| node.frozen_since.is_none());
            if let Some(process) = process.filter(|it| !it.rests_until(reached, MAX_DELAY)) {
                reached = reached.min(process.run_until(reached));
            }
        }
        self.now = self.now.max(reached);
        self.collect();
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= self.now
        {
            let event = entry.remove();
            self.handle(event);
        }
        self.progress.turn(self.now, self.faults);
        self.steps_at_once = if self.now == before {
            self.steps_at_once + 1
        } else {
            0
        };
        if self.steps_at_once > MAX_STEPS_AT_ONCE {
            self.violate(Property::Rests, "time does not pass".into());
        }
    }

    /// Turns what the processes have done into events.
    fn collect(&mut self) {
        let published = std::mem::take(&mut lock(&self.shared.bus).published);
        for published in published {
            self.send(published);
        }
        if let Some(redis) = self.shared.redis.clone() {
            for (at, connection, bytes) in lock(&redis).take_pushed(self.now) {
                self.at(at, Event::Push(connection, bytes));
            }
        }
        let mut answers = std::mem::take(&mut *lock(&self.shared.answers));
        // A runtime that is dropped drops its tasks in an order that depends on what the program has run before.
        answers.sort_by_key(|answer| answer.number);
        for answer in answers {
            self.after(latency(), Event::Answer(answer));
        }
        self.read_sockets();
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Deliver { to, topic, frame } => self.deliver(to, topic, frame),
            Event::Push(connection, bytes) => {
                if let Some(redis) = &self.shared.redis {
                    lock(redis).arrive(connection, bytes);
                }
            }
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
            Event::Act(act) => self.act(act),
            Event::Check => {
                self.check();
                self.after(1_000, Event::Check);
            }
            Event::BeginFault(Planned { what, duration, .. }) => self.begin(what, duration),
            Event::EndFault(fault) => self.end_fault(fault),
        }
    }

    fn pass_on(&mut self, client: usize, number: u64, node: usize, call: Call) {
        self.trace(
            format_args!("c{client}"),
            format_args!("asks n{node} to {}", call.what),
        );
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

/// What a node is called in traces.
pub fn node_name(number: usize) -> String {
    format!("n{number}")
}

/// How long something takes between a client and a node.
pub fn latency() -> Millis {
    random::rng().random_range(5..50)
}

/// Locks what processes share.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
