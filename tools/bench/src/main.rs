//! Tonesa's speed and size, compared with what people would use instead: `cargo xtask bench`.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures are shown with three digits, and none is negative"
)]

mod check;
mod cores;
mod http;
mod load;
mod report;
mod scenarios;
mod servers;
mod socket;
mod systems;
mod ws;

use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use report::Results;
use scenarios::{Bench, Scenario};
use systems::System;

#[derive(Parser)]
#[command(about = "Measure Tonesa; `cargo xtask bench` builds and installs what this needs")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take figures
    Run(Options),
    /// Fail when a delivery costs more than it did, compared with the bare program
    Check {
        /// The program `tonesa`
        #[arg(long)]
        tonesa: PathBuf,
    },
    /// Run the bare program that writes frames to sockets
    #[command(hide = true)]
    Bare {
        port: u16,
        #[arg(long)]
        merge_frames: bool,
    },
    /// Run a chat of axum and tokio's broadcast channel
    #[command(hide = true)]
    Broadcast { port: u16 },
}

#[derive(clap::Args)]
struct Options {
    /// The program `tonesa`
    #[arg(long)]
    tonesa: PathBuf,
    /// Where the other systems are installed
    #[arg(long)]
    peers: PathBuf,
    /// The folder for the results
    #[arg(long)]
    out: PathBuf,
    /// These scenarios only
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Scenario::value_variants().iter().copied(), hide_default_value = true)]
    only: Vec<Scenario>,
    /// These systems only
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = System::value_variants().iter().copied(), hide_default_value = true)]
    systems: Vec<System>,
    /// How often each figure is taken of each system, in turns
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How long each figure is taken
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many sockets watch
    #[arg(long, default_value_t = 1_000)]
    watchers: usize,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(options) => run(&options),
        Command::Check { tonesa } => check(&tonesa),
        Command::Bare { port, merge_frames } => servers::bare::serve(port, merge_frames),
        Command::Broadcast { port } => servers::broadcast::serve(port),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn check(tonesa: &Path) -> Result<()> {
    let bench = Bench::new(absolute(tonesa)?, PathBuf::new(), Duration::ZERO, 0)?;
    check::run(&bench)
}

fn run(options: &Options) -> Result<()> {
    let bench = Bench::new(
        absolute(&options.tonesa)?,
        absolute(&options.peers)?,
        Duration::from_secs(options.seconds),
        options.watchers,
    )?;
    let mut results = Results::default();
    for &scenario in &options.only {
        for run in 1..=options.runs {
            let systems = options.systems.iter();
            for system in systems.filter(|system| scenario.is_for(**system)) {
                let (name, title) = (scenarios::name(&scenario), scenarios::title(system));
                eprintln!("bench: {name}, run {run}: {title}");
                match scenario.run(&bench, *system) {
                    Ok(samples) => results.add(scenario, *system, &samples),
                    Err(error) => results.fail(scenario, *system, &error),
                }
            }
        }
    }
    results.write(&options.out)
}
