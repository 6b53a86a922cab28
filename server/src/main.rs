//! The program `tonesa`: one node.

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use server::app::{self, check, logs};
use server::config::args::{self, Args, Command};
use server::image;

/// What may still be running on threads of its own when the node has left, as a picture's check, is not waited for.
const THREADS: Duration = Duration::from_millis(200);
/// Whoever reads what is written last may hang: it is not waited for longer than this.
const LAST_WORDS: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let mut args = Args::parse();
    let done = match args.command.take() {
        Some(Command::InspectImage(job)) => image::run_child(job).map_err(Into::into),
        None => start(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(move || eprintln!("tonesa: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Waits for what writes, but not for ever.
fn say(write: impl FnOnce() + Send + 'static) {
    let (writing, written) = mpsc::channel::<()>();
    thread::spawn(move || {
        write();
        drop(writing);
    });
    // That the other end is gone is what is waited for.
    _ = written.recv_timeout(LAST_WORDS);
}

fn start(args: &Args) -> anyhow::Result<()> {
    let config = args::load(args)?;
    if args.check {
        println!("{}", check::readiness(config.bind)?);
        return Ok(());
    }
    let logging = logs::start(&config.log);
    let runtime = tokio::runtime::Runtime::new()?;
    let left = runtime.block_on(app::run(config));
    runtime.shutdown_timeout(THREADS);
    // It writes to stderr too when nobody reads.
    say(move || drop(logging));
    Ok(left?)
}
