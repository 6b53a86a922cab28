//! A thousand people who come, talk, point, delete and leave, on one node, whose memory and open descriptors
//! must not grow after ten minutes. `cargo xtask soak` builds what it needs and runs it.

mod api;
mod board;
mod conversation;
mod counters;
mod person;
mod run;
mod sample;
mod socket;
mod verdict;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;

use run::Options;

/// The exit status of a run that failed itself: 1 is for one that has found something.
const RUN_FAILED: u8 = 2;

fn main() -> ExitCode {
    // One thread: the people may take one core, and the node has the others.
    let runtime = Builder::new_current_thread().enable_all().build();
    let passed = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run::run(Options::parse())));
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: the run itself failed: {error:#}");
            RUN_FAILED.into()
        }
    }
}
