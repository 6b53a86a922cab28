//! `cargo xtask`: Tonesa's set-up, build, run and test commands.
//!
//! `cargo xtask run` and `cargo xtask test` are all that a person needs: each makes sure of what it needs first, and
//! says what it is doing. xtask itself needs nothing but cargo.

mod bench;
mod build;
mod chaos;
mod measure;
mod process;
mod run;
mod setup;
mod site;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{test::Stage, workspace::Workspace};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set up, build, run and test Tonesa")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Make sure of all that running and testing need
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
    /// Build the release program and take the figures of docs/performance.md
    Measure,
    /// Break things while people talk, and see that nothing was lost: three nodes, 30 clients, faults drawn from a seed
    Chaos(chaos::Options),
    /// Build the release program, install what it is compared with, and measure both: see `bench --help`
    #[command(disable_help_flag = true)]
    Bench {
        /// The bench's own
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run every check and test, stopping at the first stage that fails
    Test {
        /// Run this stage alone
        #[arg(long, value_enum)]
        only: Option<Stage>,
        /// Passed on to the test runner of the stages `unit` and `browser`, after `--`
        #[arg(last = true, requires = "only")]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace: what went wrong is in the words.
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
        Task::Run { release, arguments } => run::serve(&workspace, release, &arguments),
        Task::Chaos(options) => chaos::run(&workspace, &options),
        Task::Measure => measure::run(&workspace),
        Task::Bench { arguments } => bench::run(&workspace, &arguments),
        Task::Test { only, arguments } => test::run(&workspace, only, &arguments),
    }
}
