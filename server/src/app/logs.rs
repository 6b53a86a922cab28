//! The log: readable lines on a terminal, JSON elsewhere. It holds no texts of messages and no secrets; an upload's id
//! only when something has failed that concerns it, a client's address only at `debug`.
//!
//! Lines are written by a thread of their own, so that a reader of the log that hangs does not stop the node: up to a
//! limit lines wait, and more are dropped and counted.

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

/// Lines that may wait to be written: some 2 MiB. When there are more, the newest are dropped.
const MAX_WAITING_LINES: usize = 8_192;
/// How often the number of dropped lines is checked.
const DROPPED_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Counts dropped lines. A static, since the process has one log.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Returns how many lines were dropped since the process started because nobody read them fast enough.
pub fn dropped_lines() -> u64 {
    DROPPED
        .get()
        .map_or(0, |dropped| dropped.dropped_lines() as u64)
}

/// Logs a warning when lines were dropped, until the node stops. If that line is dropped too, the count has grown, so
/// that it is logged again.
pub async fn report_dropped_lines(stopping: CancellationToken) {
    let mut reported = 0;
    while stopping
        .run_until_cancelled(sleep(DROPPED_CHECK_INTERVAL))
        .await
        .is_some()
    {
        let lines = dropped_lines();
        if lines > reported {
            tracing::warn!(
                lines,
                "log lines were dropped because nobody read them fast enough"
            );
            reported = lines;
        }
    }
}

/// Starts logging; call it once per process. Panics are logged too. Dropping the guard writes the lines that wait,
/// which takes about a second at most.
pub fn start(filter: &LogFilter) -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(MAX_WAITING_LINES)
        .lossy(true)
        .finish(stdout());
    DROPPED.get_or_init(|| writer.error_counter());
    let on_terminal = stdout().is_terminal();
    let readable = on_terminal.then(|| {
        let layer = fmt::layer().compact().with_target(false);
        layer.with_writer(writer.clone())
    });
    let json = (!on_terminal).then(|| {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(writer)
    });
    tracing_subscriber::registry()
        .with(filter.to_filter())
        .with(filter_fn(holds_no_credentials))
        .with(readable)
        .with(json)
        .init();
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "a task panicked: {}", panic_message(panic));
    }));
    guard
}

/// Below `info`, the S3 driver's own events contain access keys and signatures.
fn holds_no_credentials(event: &Metadata<'_>) -> bool {
    !event.target().starts_with("aws_") || *event.level() <= Level::INFO
}

fn panic_message<'a>(panic: &'a panic::PanicHookInfo<'_>) -> &'a str {
    panic.payload_as_str().unwrap_or("for no stated reason")
}
