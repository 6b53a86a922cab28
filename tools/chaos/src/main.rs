//! Three nodes, clients that talk, and faults drawn from a seed; afterwards what every client saw must be what is
//! stored. `cargo xtask chaos` builds what it needs and runs it.
//!
//! ```text
//! schedule    which fault when, drawn from the seed
//! bed         Redis, MongoDB, S3 and the nodes, and how each fault is made and repaired
//! held        a node, and what it did wrong
//! lone        a node with a database of its own, which is moved away and put back
//! proxy       between the nodes and Redis
//! balancer    between the clients and the nodes
//! client      one client: the browser's own state machine
//! crowd       all of them
//! storm       lets the faults happen
//! vitals      whether the nodes live
//! check       what must be so afterwards
//! run         all of it, in order
//! ```

mod balancer;
mod bed;
mod check;
mod client;
mod crowd;
mod fault;
mod held;
mod ledger;
mod lone;
mod memory;
mod phase;
mod picture;
mod processor;
mod proxy;
mod report;
mod run;
mod schedule;
mod settle;
mod site;
mod storm;
mod uploads;
mod vitals;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use run::Options;

/// Ends a run that says nothing about the product: 1 is for one that has found something.
const NOT_MADE: u8 = 2;

#[derive(Parser)]
#[command(
    name = "chaos",
    about = "Break things while people talk, and compare what they saw with what is stored"
)]
struct Arguments {
    /// What everything is drawn from; a random one unless told
    #[arg(long)]
    seed: Option<u64>,
    /// How long faults happen
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// How many clients talk
    #[arg(long, default_value_t = 30)]
    clients: usize,
    /// Mean time between two messages of a client, in milliseconds
    #[arg(long, default_value_t = 800)]
    pace: u64,
    /// The program of a node
    #[arg(long)]
    program: PathBuf,
    /// A folder in which the logs of all processes are kept
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = Options {
        seed: arguments
            .seed
            .unwrap_or_else(|| rand::random_range(0..1_000_000)),
        length: Duration::from_secs_f64(60.0 * arguments.minutes.max(0.0)),
        clients: arguments.clients,
        pace: Duration::from_millis(arguments.pace),
        // Nodes run in folders of their own.
        program: std::path::absolute(&arguments.program).unwrap_or(arguments.program),
        keep: arguments.keep,
    };
    let runtime = tokio::runtime::Runtime::new();
    let report = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run::run(options)));
    match report {
        Ok(report) => {
            println!("{report}");
            if report.has_passed() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("chaos: the run could not be made: {error:#}");
            NOT_MADE.into()
        }
    }
}
