//! Logs: readable lines on a terminal, JSON elsewhere. They hold no texts of messages and no secrets; an upload's id
//! only where something has failed that concerns it, a client's address only at `debug`.
//!
//! Lines are written by a thread of their own, so that nobody waits for whoever reads them: when that one hangs, lines
//! wait up to a bound and more are dropped and counted.

use std::io::{IsTerminal, stdout};
use std::panic;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFilter;

/// Lines that may wait for whoever reads them: some 2 MiB. Of more, the newest are dropped.
const MAX_WAITING_LINES: usize = 8_192;
/// How often is looked whether lines were dropped.
const DROPPED_EVERY: Duration = Duration::from_secs(2);

/// The process has one log.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// How many lines were dropped since the process started because nobody read them fast enough.
pub fn dropped_lines() -> u64 {
    DROPPED
        .get()
        .map_or(0, |dropped| dropped.dropped_lines() as u64)
}

/// Says in the log when lines were dropped, until the node stops. While the log still does not flow that line is dropped
/// too, which counts, so that it is said again.
pub async fn tell_dropped(stopping: CancellationToken) {
    let mut told = 0;
    while stopping
        .run_until_cancelled(sleep(DROPPED_EVERY))
        .await
        .is_some()
    {
        let lines = dropped_lines();
        if lines > told {
            tracing::warn!(lines, "log lines were dropped since nobody read them");
            told = lines;
        }
    }
}

/// Starts logging, once per process; panics are logged too. What waits is written when the guard is dropped, which takes
/// about a second at most.
pub fn start(filter: &LogFilter) -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(MAX_WAITING_LINES)
        .lossy(true)
        .finish(stdout());
    DROPPED.get_or_init(|| writer.error_counter());
    let on_terminal = stdout().is_terminal();
    let people = on_terminal.then(|| {
        let layer = fmt::layer().compact().with_target(false);
        layer.with_writer(writer.clone())
    });
    let programs = (!on_terminal).then(|| {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(writer)
    });
    tracing_subscriber::registry()
        .with(filter.to_filter())
        .with(filter_fn(holds_no_credentials))
        .with(people)
        .with(programs)
        .init();
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "a task panicked: {}", reason(panic));
    }));
    guard
}

/// The S3 driver's own events show, below `info`, who signs its requests and with what.
fn holds_no_credentials(event: &Metadata<'_>) -> bool {
    !event.target().starts_with("aws_") || *event.level() <= Level::INFO
}

fn reason<'a>(panic: &'a panic::PanicHookInfo<'_>) -> &'a str {
    panic.payload_as_str().unwrap_or("for no stated reason")
}
