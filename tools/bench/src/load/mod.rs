//! The load: many sockets on one thread, an open loop that sends at intended times, and a count of what arrives.
//!
//! It is made to keep up with the fastest system: raw sockets, large reads, frames told apart by their length alone,
//! no JSON. What it can do at most is shown by the floor ([`crate::servers::floor`]).

mod connection;
mod meter;
mod open;
mod posts;
mod run;
mod stamp;

use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use mio::{Events, Poll};

use connection::Connection;
pub use connection::{Script, Step};
use meter::Meter;
pub use open::Opening;
use posts::Posts;
pub use run::Via;

/// Larger than any frame, and enough for a thousand small ones.
const CHUNK: usize = 512 * 1024;
/// Sockets that are told about at once. Between two such rounds what is due is sent.
const ROUND: usize = 256;
/// Nothing arrives any more when nothing arrives for so long.
const QUIET: Duration = Duration::from_millis(50);

/// How events are sent.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Events a second, over all rooms.
    pub rate: f64,
    /// For how long.
    pub duration: Duration,
    /// The part of that time, from its start, of which no latencies are taken.
    pub warm_up: Duration,
}

/// What came of a run.
pub struct Outcome {
    /// Deliveries that were due: each event once for every watcher of its room.
    pub expected: u64,
    /// Deliveries that arrived.
    pub received: u64,
    /// Sockets that got other events than those that were sent to their room.
    pub wrong: usize,
    /// Sockets that have ended.
    pub closed: usize,
    /// Nanoseconds from the intended time of sending to arrival.
    pub latency: Histogram<u64>,
    /// From the first intended time to the last arrival.
    pub took: Duration,
    /// The most that an event was sent too late: the load itself did not keep up.
    pub behind: Duration,
}

impl Outcome {
    /// Deliveries that were due and did not arrive.
    pub fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.received)
    }

    /// Did every watcher get what was sent, once?
    pub fn is_whole(&self) -> bool {
        self.received == self.expected && self.wrong == 0 && self.closed == 0
    }

    /// The latency that this part of all stays within, in milliseconds.
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e6
    }
}

/// Many sockets of one system.
pub struct Load {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    /// The sockets of each room, by their places.
    rooms: Vec<Vec<usize>>,
    /// How many of a room's sockets send, from its first; the others only watch.
    senders: usize,
    posts: Posts,
    meter: Meter,
    chunk: Box<[u8]>,
    next: u64,
}

impl Load {
    /// No sockets yet.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn new() -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(ROUND),
            connections: Vec::new(),
            rooms: Vec::new(),
            senders: usize::MAX,
            posts: Posts::default(),
            meter: Meter::new()?,
            chunk: vec![0; CHUNK].into(),
            next: 0,
        })
    }

    /// Lets only the first ones of each room send.
    pub fn only_first_send(&mut self, senders: usize) {
        self.senders = senders;
    }

    /// Reads for a while whatever arrives, so that pings are answered.
    ///
    /// # Errors
    /// When the system refuses to tell about sockets.
    pub fn idle(&mut self, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.round(Some(left))?;
        }
        Ok(())
    }

    /// Does nothing arrive any more for a moment?
    ///
    /// # Errors
    /// As [`Self::idle`].
    pub fn is_quiet(&mut self) -> Result<bool> {
        let before = self.meter.received;
        self.idle(QUIET)?;
        Ok(self.meter.received == before)
    }

    /// Waits for sockets to tell something, and does what they tell.
    fn round(&mut self, timeout: Option<Duration>) -> Result<()> {
        if let Err(error) = self.poll.poll(&mut self.events, timeout)
            && error.kind() != std::io::ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        for event in &self.events {
            let Some(connection) = self.connections.get_mut(event.token().0) else {
                self.posts.told(event);
                continue;
            };
            if event.is_writable() {
                connection.flush();
            }
            if event.is_readable() {
                connection.read(&mut self.chunk, &mut self.meter);
            }
        }
        Ok(())
    }
}
