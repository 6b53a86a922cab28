//! The program `tonesa`: one node.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use server::config::{self, Args, Command};
use server::{check, image, logs};

/// What may still be running on threads of its own when the node has left, as a picture's check, is not waited for.
const THREADS: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let mut args = Args::parse();
    let done = match args.command.take() {
        Some(Command::InspectImage(job)) => image::run_child(job).map_err(Into::into),
        None => start(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tonesa: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> anyhow::Result<()> {
    let config = config::load(args)?;
    if args.check {
        println!("{}", check::readiness(config.bind)?);
        return Ok(());
    }
    logs::start(&config.log);
    let runtime = tokio::runtime::Runtime::new()?;
    let left = runtime.block_on(server::run(config));
    runtime.shutdown_timeout(THREADS);
    Ok(left?)
}
