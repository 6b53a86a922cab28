//! The program `tonesa`: one node.

use std::process::ExitCode;
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use clap::{Parser, Subcommand};
use server::app::{self, check, logs};
use server::config::{self, Config, INSPECT_IMAGE, InspectImage};
use server::image;

/// The commit that `cargo xtask build` builds, or whoever else sets this variable.
const COMMIT: Option<&str> = option_env!("TONESA_COMMIT");
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = COMMIT
        .filter(|commit| !commit.is_empty())
        .unwrap_or("unknown");
    format!("{} (commit {commit})", env!("CARGO_PKG_VERSION"))
});

/// What may still be running on threads of its own when the node has left, as a picture's check, is not waited for.
const THREADS: Duration = Duration::from_millis(200);
/// Whoever reads what is written last may hang: it is not waited for longer than this.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Drop an image, get a link, talk about it live.
///
/// Settings are usually made by environment variables or by a file of them; options come first. An empty variable counts
/// as not set.
#[derive(Debug, Parser)]
#[command(name = "tonesa", version = VERSION.as_str(), disable_help_subcommand = true)]
struct Cli {
    /// Ask the node that runs with these settings whether it is ready, instead of running one
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the program does for a node, instead of running one.
#[derive(Debug, Subcommand)]
enum Command {
    /// Checks one picture for the node that started it.
    #[command(name = INSPECT_IMAGE, hide = true)]
    InspectImage(InspectImage),
}

fn main() -> ExitCode {
    match run() {
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

fn run() -> anyhow::Result<()> {
    let cli: Cli = config::parse()?;
    if let Some(Command::InspectImage(job)) = cli.command {
        return Ok(image::run_child(job)?);
    }
    if cli.check {
        println!("{}", check::readiness(cli.config.address())?);
        return Ok(());
    }
    start(cli.config)
}

fn start(config: Config) -> anyhow::Result<()> {
    let logging = logs::start(config.log_filter());
    let runtime = tokio::runtime::Runtime::new()?;
    let left = runtime.block_on(app::run(config));
    runtime.shutdown_timeout(THREADS);
    // It writes to stderr too when nobody reads.
    say(move || drop(logging));
    Ok(left?)
}
