//! What lies between a node and Redis, and what goes wrong there: messages that are lost, connections that are cut, and
//! connections that stay open and carry nothing.

mod connection;
mod resp;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// A proxy; its connections end when it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    _accepting: AbortOnDropHandle<()>,
}

/// What a connection does with what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Passes it on.
    Flowing,
    /// Swallows it, for as long as the connection lives: neither side learns of the other.
    HalfOpen,
    /// Ends.
    Cut,
}

struct Shared {
    upstream: SocketAddr,
    lost_percent: AtomicU8,
    lost: AtomicU64,
    chance: Mutex<StdRng>,
    connections: Mutex<HashMap<u64, watch::Sender<Mode>>>,
    made: AtomicU64,
}

impl Proxy {
    /// Starts a proxy to a Redis server on a port of this machine. `seed` decides which messages are lost.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub async fn start(upstream: u16, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            upstream: (Ipv4Addr::LOCALHOST, upstream).into(),
            lost_percent: AtomicU8::new(0),
            lost: AtomicU64::new(0),
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
            connections: Mutex::default(),
            made: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            port,
            shared,
            _accepting: AbortOnDropHandle::new(accepting),
        })
    }

    /// Where it listens, on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Loses so many of a hundred messages from now on.
    pub fn lose(&self, percent: u8) {
        self.shared.lost_percent.store(percent, Ordering::Relaxed);
    }

    /// How many messages were lost.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Makes the connections that there are carry nothing any more.
    pub fn make_half_open(&self) {
        self.shared.set(Mode::HalfOpen);
    }

    /// Ends the connections that there are, other than those that are half-open: nobody hears of these again.
    pub fn cut(&self) {
        self.shared.set(Mode::Cut);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.connections().clear();
    }
}

impl Shared {
    fn set(&self, mode: Mode) {
        for connection in self.connections().values() {
            connection.send_if_modified(|now| {
                let changes = *now == Mode::Flowing;
                if changes {
                    *now = mode;
                }
                changes
            });
        }
    }

    fn loses_this(&self) -> bool {
        let percent = self.lost_percent.load(Ordering::Relaxed);
        if percent == 0 {
            return false;
        }
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = chance.random_range(0..100) < percent;
        self.lost.fetch_add(u64::from(lost), Ordering::Relaxed);
        lost
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, watch::Sender<Mode>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Accepting fails when files run out; it is tried again with the next connection.
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let number = shared.made.fetch_add(1, Ordering::Relaxed);
        let (mode, changes) = watch::channel(Mode::Flowing);
        shared.connections().insert(number, mode);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            connection::run(client, &shared, changes).await;
            shared.connections().remove(&number);
        });
    }
}
