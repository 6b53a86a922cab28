//! A proxy between a node and Redis that drops messages, cuts connections, and makes connections half-open.

mod connection;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::yield_now;
use tokio_util::task::AbortOnDropHandle;

/// A proxy; its connections end when it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    disruptions: broadcast::Sender<Disruption>,
    _accepting: AbortOnDropHandle<()>,
}

/// What happens to the connections that there are; only the first one counts for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disruption {
    /// What arrives is discarded for as long as the connection lasts: neither side learns of the other's end.
    HalfOpen,
    Cut,
}

struct Shared {
    upstream: SocketAddr,
    lost_percent: AtomicU8,
    lost: AtomicUsize,
    rng: Mutex<StdRng>,
}

impl Proxy {
    /// Starts a proxy to a Redis server on a port of this machine. `seed` decides which messages are lost.
    pub async fn start(upstream: u16, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            upstream: (Ipv4Addr::LOCALHOST, upstream).into(),
            lost_percent: AtomicU8::new(0),
            lost: AtomicUsize::new(0),
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
        });
        let (disruptions, _) = broadcast::channel(1);
        let accepting = accept(listener, Arc::clone(&shared), disruptions.clone());
        Ok(Self {
            port,
            shared,
            disruptions,
            _accepting: AbortOnDropHandle::new(tokio::spawn(accepting)),
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Drops so many of a hundred messages from now on.
    pub fn lose(&self, percent: u8) {
        self.shared.lost_percent.store(percent, Ordering::Relaxed);
    }

    /// How many messages were dropped.
    pub fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Disrupts the connections that there are.
    pub fn disrupt(&self, disruption: Disruption) {
        // An error means that there is no connection.
        let _ = self.disruptions.send(disruption);
    }
}

impl Shared {
    fn loses_next(&self) -> bool {
        let percent = self.lost_percent.load(Ordering::Relaxed);
        if percent == 0 {
            return false;
        }
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let is_lost = rng.random_range(0..100) < percent;
        self.lost.fetch_add(usize::from(is_lost), Ordering::Relaxed);
        is_lost
    }
}

async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    disruptions: broadcast::Sender<Disruption>,
) {
    loop {
        if let Ok((client, _)) = listener.accept().await {
            let (shared, disruption) = (Arc::clone(&shared), disruptions.subscribe());
            tokio::spawn(async move { connection::run(client, &shared, disruption).await });
        } else {
            // Too many files are open.
            yield_now().await;
        }
    }
}
