//! `cargo xtask`: Tonesa's set-up, build, run and test commands. Each installs what it needs first. xtask itself needs
//! nothing but cargo.

mod build;
mod chaos;
mod defects;
mod fuzz;
mod planted;
mod release;
mod setup;
mod simulate;
mod site;
mod soak;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::Parser;

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set up, build, run and test Tonesa")]
enum Task {
    /// Install everything that running and testing need
    Setup,
    /// Build the release program and its site folder, in target/release
    Build,
    /// Build, and serve at port 9091 (or $PORT) of this machine
    Run {
        /// Build the program with all optimisations
        #[arg(long)]
        release: bool,
        /// Passed on to the program, after `--`
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
    /// Build the release program and measure the figures in docs/performance.md
    Measure,
    /// Inject random faults into three nodes while 30 clients write, and check that nothing was lost
    Chaos(chaos::Options),
    /// Let a thousand people come, talk and leave for an hour, and check that the memory and the open files of the node
    /// do not grow: see `soak --help`
    #[command(disable_help_flag = true)]
    Soak {
        /// Arguments for soak
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Simulate three nodes and their clients on virtual time, with faults that follow from a seed
    Simulate(simulate::Options),
    /// Try random inputs on what reads those of others, guided by the code that they reach
    Fuzz(fuzz::Options),
    /// Build the release program, install what it is compared with, and measure both: see `bench --help`
    #[command(disable_help_flag = true)]
    Bench {
        /// Arguments for bench
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Build what is published of a version, into target/release-files: archive, Debian package, SBOM, checksums
    Release,
    /// Run every check and test, stopping at the first stage that fails
    Test(test::Options),
}

fn main() -> ExitCode {
    match run(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a backtrace: the messages say what failed.
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::open()?;
    match task {
        Task::Setup => setup::everything(&workspace),
        Task::Build => build::release(&workspace).map(drop),
        Task::Run { release, arguments } => build::serve(&workspace, release, &arguments),
        Task::Chaos(options) => chaos::run(&workspace, &options),
        Task::Soak { arguments } => soak::run(&workspace, &arguments),
        Task::Simulate(options) => simulate::run(&workspace, &options),
        Task::Fuzz(options) => fuzz::run(&workspace, &options),
        Task::Release => release::run(&workspace),
        Task::Measure => build::measure(&workspace),
        Task::Bench { arguments } => build::bench(&workspace, &arguments),
        Task::Test(options) => test::run(&workspace, &options),
    }
}
