//! Free ports.

use std::{
    collections::HashSet,
    net::TcpListener,
    sync::{LazyLock, Mutex, PoisonError},
};

use anyhow::{Context, Result};

/// Below the range from which systems take the ports of outgoing connections, so that none of those sits on a server's
/// port while it is being started again; and so far below that the port 10,000 higher, which a Redis of a cluster
/// listens at too, is neither in that range nor in this one.
const RANGE: std::ops::Range<u16> = 11_000..21_000;
const TRIES: usize = 1_000;
/// Starts of one server at other ports, when somebody else was quicker.
const STARTS: usize = 5;

static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port of this machine at which nothing listens, and which this process has not asked for before.
///
/// # Errors
/// When none is found.
pub fn free_port() -> Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    (0..TRIES)
        .map(|_| rand::random_range(RANGE))
        .find(|port| is_free(*port) && given.insert(*port))
        .context("no free port was found")
}

fn is_free(port: u16) -> bool {
    [port, port + 10_000]
        .iter()
        .all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

/// Starts a server by `start`, again with other ports when it could not have those it was given: between asking for a
/// free port and listening at it another process may be quicker.
pub(crate) fn retry<T>(mut start: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..STARTS {
        match start() {
            Err(error) if is_taken(&error) => {}
            result => return result,
        }
    }
    start()
}

fn is_taken(error: &anyhow::Error) -> bool {
    let text = format!("{error:#}").to_lowercase();
    text.contains("address already in use") || text.contains("address in use")
}
