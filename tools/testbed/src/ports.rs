//! Free ports.

use std::{
    collections::HashSet,
    net::TcpListener,
    sync::{LazyLock, Mutex, PoisonError},
};

use anyhow::{Context, Result};

/// Below the range of outgoing connections, so that none of those takes a server's port while it is being started
/// again. A node of a Redis Cluster listens 10,000 ports higher too, which is in neither range.
const RANGE: std::ops::Range<u16> = 11_000..21_000;
const CLUSTER_BUS_OFFSET: u16 = 10_000;
const TRIES: usize = 1_000;
const STARTS: usize = 5;

static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port of this machine at which nothing listens, and which this process has not been given before.
pub fn free_port() -> Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    (0..TRIES)
        .map(|_| rand::random_range(RANGE))
        .find(|port| is_free(*port) && is_free(*port + CLUSTER_BUS_OFFSET) && given.insert(*port))
        .context("no free port was found")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// Starts a server at a free port. If another process takes the port meanwhile, tries again at another one.
pub(crate) fn start_at_free_port<T>(mut start: impl FnMut(u16) -> Result<T>) -> Result<T> {
    for _ in 1..STARTS {
        match start(free_port()?) {
            Err(error) if is_taken(&error) => {}
            result => return result,
        }
    }
    start(free_port()?)
}

fn is_taken(error: &anyhow::Error) -> bool {
    let text = format!("{error:#}").to_lowercase();
    text.contains("address already in use") || text.contains("address in use")
}
