//! The program `tonesa`, which runs one node.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use clap::{Parser, Subcommand};
use server::app::admin::{self, Admin};
use server::app::{self, StartError, check, logs};
use server::config::{self, Config, INSPECT_IMAGE, InspectImage, RESIZE_IMAGE, ResizeImage};
use server::image;

/// The commit that was built: set by `cargo xtask build`, or by any other build that sets this variable.
const COMMIT: Option<&str> = option_env!("TONESA_COMMIT");
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = COMMIT
        .filter(|commit| !commit.is_empty())
        .unwrap_or("unknown");
    format!("{} (commit {commit})", env!("CARGO_PKG_VERSION"))
});

/// The exit code for settings that are not understood, as for an unknown option: starting again does not help.
const WRONG_SETTINGS: u8 = 2;
const FAILURE: u8 = 1;

/// How long blocking threads may go on after the node has stopped. Checking an image may take longer; it is abandoned.
const BLOCKING_TASKS_TIMEOUT: Duration = Duration::from_millis(200);
/// How long the last output may take. The reader of stdout or stderr may hang.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(2);

/// Drop an image, get a link, talk about it live.
///
/// Settings are usually made by environment variables or by a file of them; options come first. An empty variable
/// counts as not set.
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

/// Subcommands. Those that are hidden a node runs in processes of their own.
#[derive(Debug, Subcommand)]
enum Command {
    /// Lists, removes and blocks, with `TONESA_ADMIN_TOKEN`, at `PUBLIC_URL` or else at the node on this machine
    #[command(subcommand)]
    Admin(Admin),
    /// Checks one image for the node that started this process.
    #[command(name = INSPECT_IMAGE, hide = true)]
    InspectImage(InspectImage),
    /// Makes a smaller picture of an image for the node that started this process.
    #[command(name = RESIZE_IMAGE, hide = true)]
    ResizeImage(ResizeImage),
}

fn main() -> ExitCode {
    let cli = match config::parse() {
        Ok(cli) => cli,
        Err(error) => return failed(error, WRONG_SETTINGS.into()),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let start = error.downcast_ref::<StartError>();
            let is_wrong = start.is_some_and(StartError::is_wrong_setting);
            let code = if is_wrong { WRONG_SETTINGS } else { FAILURE };
            failed(error, code.into())
        }
    }
}

fn failed(error: impl Display + Send + 'static, code: ExitCode) -> ExitCode {
    with_timeout(move || eprintln!("tonesa: {error}"));
    code
}

/// Runs `write` on a thread of its own and waits for it, with a timeout.
fn with_timeout(write: impl FnOnce() + Send + 'static) {
    let (running, done) = mpsc::channel::<()>();
    thread::spawn(move || {
        write();
        drop(running);
    });
    // The channel is closed when `write` has returned.
    _ = done.recv_timeout(OUTPUT_TIMEOUT);
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::InspectImage(job)) => return Ok(image::inspect_in_child(job)?),
        Some(Command::ResizeImage(job)) => return Ok(image::resize_in_child(job)?),
        Some(Command::Admin(command)) => {
            let output = admin::run(command, &cli.config)?;
            return match io::stdout().write_all(output.as_bytes()) {
                // The reader needs no more.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => Ok(written?),
            };
        }
        None => {}
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
    let result = runtime.block_on(app::run(config));
    runtime.shutdown_timeout(BLOCKING_TASKS_TIMEOUT);
    // Dropping the guard writes what is buffered to stdout, and to stderr if that fails.
    with_timeout(move || drop(logging));
    Ok(result?)
}
