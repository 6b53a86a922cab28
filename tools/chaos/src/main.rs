//! Three nodes, clients that write and delete, and faults drawn from a seed; afterwards what every client lists must be
//! what is stored. `cargo xtask chaos` builds what it needs and runs it.

mod balancer;
mod blobs;
mod cached_pages;
mod check;
mod client;
mod convergence;
mod environment;
mod fault;
mod health;
mod inject;
mod managed_node;
mod proxy;
mod recorder;
mod report;
mod restores;
mod run;
mod schedule;
mod side;
mod standalone;
mod uploads;

use std::process::ExitCode;

use clap::Parser;

use run::Options;

/// The exit status of a run that failed itself: 1 is for one that has found something.
const RUN_FAILED: u8 = 2;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new();
    let report = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run::run(Options::parse())));
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
            eprintln!("chaos: the run itself failed: {error:#}");
            RUN_FAILED.into()
        }
    }
}
