//! A cluster in one thread, on virtual time. One seed decides everything that happens, so that a run can be repeated.
//!
//! ```text
//! plan     what happens in a round
//! rounds   runs it
//! world    the queue of events, and the turns of the nodes
//! event    what happens at a time
//! node     a node's process, on a runtime of its own
//! store    the store as a node sees it
//! blobs    the images as a node sees them
//! broker   the broker as a node sees it
//! heads    what a node has to know of the logs
//! redis    a Redis server, and the real broker's connections to it
//! links    what works between a node and its store and broker
//! clock    virtual time inside a node
//! api      the calls of the HTTP API, without HTTP
//! client   the browser's state machine, and its user
//! sockets  the clients' sockets
//! calls    their calls of the HTTP API
//! frames   the frames on them
//! protocol what a socket has to deliver
//! faults   what breaks, and for how long
//! property what has to hold
//! check    whether it does
//! panics   of the nodes' and clients' code
//! progress how far a run has come
//! trace    what happened when
//! report   shows that in a browser
//! minimise leaves out what a violation does not need
//! ```

mod api;
mod blobs;
mod broker;
mod calls;
mod check;
mod client;
mod clock;
mod event;
mod faults;
mod frames;
mod heads;
mod links;
mod minimise;
mod node;
mod panics;
mod plan;
mod progress;
mod property;
mod protocol;
mod redis;
pub mod report;
mod rounds;
mod sockets;
mod store;
mod trace;
mod world;

use std::sync::{Arc, mpsc};
use std::thread;

pub use self::links::BrokerKind;
pub use self::minimise::minimise;
pub use self::plan::{Plan, Round};
pub use self::property::{Property, Violation};
pub use self::trace::Line;

use self::progress::Progress;
use self::trace::Trace;
use self::world::World;

/// Virtual time since the beginning of a run, in milliseconds.
pub type Millis = u64;

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    /// What was run. Rounds that a violation has prevented are not in it.
    pub plan: Plan,
    /// The property that does not hold, if there is one.
    pub violation: Option<Violation>,
    /// How much virtual time has passed.
    pub length: Millis,
    /// How many faults there were.
    pub faults: u64,
    /// A digest of the trace: runs with the same one have the same trace.
    pub digest: u64,
    /// The trace, if it is kept.
    pub trace: Vec<Line>,
}

/// Runs at least one round of a seed, and further ones until this much virtual time has passed. Ends at the first
/// violation.
pub fn run(seed: u64, broker: BrokerKind, length: Millis, is_traced: bool) -> Report {
    let rounds = (0..).map(move |number| Round::plan(seed, number));
    simulate(seed, broker, rounds, length, is_traced)
}

/// Runs a plan, until the first violation.
pub fn replay(plan: &Plan, is_traced: bool) -> Report {
    let rounds = plan.rounds.clone().into_iter();
    simulate(plan.seed, plan.broker, rounds, Millis::MAX, is_traced)
}

/// Simulates on a thread of its own, whose clock and random numbers are simulated. That thread cannot be ended while a
/// task in it spins: it does so until the program ends.
fn simulate(
    seed: u64,
    broker: BrokerKind,
    rounds: impl Iterator<Item = Round> + Send + 'static,
    length: Millis,
    is_traced: bool,
) -> Report {
    panics::record();
    let trace = Trace::new(is_traced);
    let progress = Arc::new(Progress::new(Plan {
        seed,
        broker,
        rounds: Vec::new(),
    }));
    let (ended, end) = mpsc::channel();
    let simulation = {
        let (trace, progress) = (trace.clone(), Arc::clone(&progress));
        thread::spawn(move || {
            let _ended = ended;
            server::random::seed_thread(seed);
            let mut world = World::new(broker, trace, progress);
            world.run(rounds, length);
            world.violation
        })
    };
    let violation = if progress.wait(&end) {
        match simulation.join() {
            Ok(violation) => violation,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    } else {
        let what = "a node does not come to rest: a task spins".to_owned();
        let property = Property::Rests;
        Some(Violation { property, what })
    };
    let (length, faults) = progress.reached();
    let plan = progress.plan().clone();
    Report {
        plan,
        violation,
        length,
        faults,
        digest: trace.digest(),
        trace: trace.take(),
    }
}
