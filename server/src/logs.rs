//! Logs: readable lines on a terminal, JSON elsewhere. They hold no texts of messages and no secrets; an upload's id
//! only where something has failed that concerns it, a client's address only at `debug`.

use std::io::{IsTerminal, stdout};
use std::panic;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFilter;

/// Starts logging, once per process; panics are logged too.
pub fn start(filter: &LogFilter) {
    let on_terminal = stdout().is_terminal();
    let people = on_terminal.then(|| fmt::layer().compact().with_target(false));
    let programs = (!on_terminal).then(|| {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
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
}

/// The S3 driver's own events show, below `info`, who signs its requests and with what.
fn holds_no_credentials(event: &Metadata<'_>) -> bool {
    !event.target().starts_with("aws_") || *event.level() <= Level::INFO
}

fn reason<'a>(panic: &'a panic::PanicHookInfo<'_>) -> &'a str {
    panic.payload_as_str().unwrap_or("for no stated reason")
}
