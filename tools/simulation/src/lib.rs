//! A cluster in one thread, on virtual time. One seed decides everything that happens, so that a run can be repeated.
//!
//! ```text
//! rounds   what happens in a run
//! world    the queue of events, and the turns of the nodes
//! event    what happens at a time
//! node     a node's process, on a runtime of its own
//! store    the store as a node sees it
//! broker   the broker as a node sees it
//! links    what works between a node and the two
//! clock    virtual time inside a node
//! api      the calls of the HTTP API, without HTTP
//! client   the browser's state machine, and its user
//! sockets  the clients' sockets
//! frames   the frames on them
//! protocol what a socket has to deliver
//! faults   what breaks, and for how long
//! check    the properties
//! trace    what happened when
//! ```

mod api;
mod broker;
mod check;
mod client;
mod clock;
mod event;
mod faults;
mod frames;
mod links;
mod node;
mod protocol;
mod rounds;
mod sockets;
mod store;
mod trace;
mod watchdog;
mod world;

use std::thread;

use crate::trace::Trace;
use crate::watchdog::Watchdog;
use crate::world::World;

/// Virtual time since the beginning of a run.
pub type Millis = u64;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// After this much virtual time the round that runs is the last one.
    pub length: Millis,
    /// Whether the trace is kept.
    pub is_traced: bool,
}

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    /// The property that does not hold, if there is one.
    pub violation: Option<String>,
    /// How much virtual time has passed.
    pub length: Millis,
    /// How many faults there were.
    pub faults: u64,
    /// The number of lines of the trace, and a digest of them.
    pub digest: (u64, u64),
    /// The trace, if it is kept.
    pub trace: String,
}

/// Runs until the end or the first violation, on a thread of its own, whose clock and random numbers are simulated.
pub fn run(options: Options) -> Report {
    let simulation = thread::spawn(move || simulate(options));
    match simulation.join() {
        Ok(report) => report,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn simulate(options: Options) -> Report {
    server::random::seed_thread(options.seed);
    let trace = Trace::new(options.is_traced);
    let mut world = World::new(trace.clone(), Watchdog::start(options.seed));
    world.round();
    while world.now < options.length && world.violation.is_none() {
        world.round();
    }
    Report {
        violation: world.violation.take(),
        length: world.now,
        faults: world.faults,
        digest: trace.digest(),
        trace: trace.text(),
    }
}
