//! Tonesa's speed and size, measured beside what people would use instead: `cargo xtask bench`.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures are told with three digits, and none is negative"
)]

mod check;
mod cores;
mod http;
mod load;
mod report;
mod scenarios;
mod servers;
mod systems;
mod usage;
mod ws;

use std::path::{self, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use cores::Cores;
use report::Results;
use scenarios::{Bench, Scenario};
use systems::{Ground, System};

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
    /// Fail when a delivery has become dearer, beside the bare program
    Check {
        /// The program `tonesa`
        #[arg(long)]
        tonesa: PathBuf,
    },
    /// Be the bare program that writes frames to sockets
    #[command(hide = true)]
    Floor {
        port: u16,
        #[arg(long)]
        together: bool,
    },
    /// Be a chat of axum and tokio's broadcast channel
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
    #[arg(long, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// These systems only: floor, tonesa, broadcast, bun, socketio, centrifuge
    #[arg(long, value_delimiter = ',')]
    systems: Vec<String>,
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
        Command::Run(options) => run(options),
        Command::Check { tonesa } => check(tonesa),
        Command::Floor { port, together } => servers::floor::serve(port, together),
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

fn run(options: Options) -> Result<()> {
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let systems = chosen(&options.systems)?;
    let bench = Bench {
        ground: Ground {
            cores: Cores::take()?,
            // Systems run in folders of their own.
            tonesa: path::absolute(options.tonesa)?,
            peers: path::absolute(options.peers)?,
        },
        duration: Duration::from_secs(options.seconds),
        watchers: options.watchers,
        found: Mutex::default(),
    };
    let scenarios = if options.only.is_empty() {
        Scenario::all().to_vec()
    } else {
        options.only
    };
    let mut results = Results::default();
    for scenario in scenarios {
        for run in 1..=options.runs {
            for system in systems.iter().filter(|system| scenario.is_for(**system)) {
                scenarios::tell(&format!(
                    "{}, run {run}: {}",
                    scenario.name(),
                    system.title()
                ));
                match scenario.once(&bench, *system) {
                    Ok(samples) => results.add(scenario, *system, &samples),
                    Err(error) => results.fail(scenario, *system, &error),
                }
            }
        }
    }
    results.write(&options.out)
}

fn check(tonesa: PathBuf) -> Result<()> {
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    check::run(Ground {
        cores: Cores::take()?,
        tonesa: path::absolute(tonesa)?,
        peers: PathBuf::new(),
    })
}

fn chosen(names: &[String]) -> Result<Vec<&'static dyn System>> {
    let known = |name: &String| systems::ALL.iter().any(|system| system.name() == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        bail!("no system is called {unknown}");
    }
    let is_chosen =
        |system: &&dyn System| names.is_empty() || names.iter().any(|name| name == system.name());
    Ok(systems::ALL.into_iter().filter(is_chosen).collect())
}
