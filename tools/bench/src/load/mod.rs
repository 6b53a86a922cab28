//! The load generator: many sockets on one thread, an open loop that sends at intended times, and a count of received
//! events.
//!
//! To keep up with the fastest system it uses raw sockets and large reads, and finds events without parsing JSON. The
//! bare program ([`crate::servers::bare`]) shows its own limit.

mod connection;
mod open;
mod publishers;
mod recorder;
mod run;
mod sequence;

use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use mio::{Events, Poll};

use connection::Connection;
pub use connection::{Script, Step};
pub use open::{GRADUALLY, Opening};
use publishers::Publishers;
use recorder::Recorder;

/// Larger than any frame, and enough for a thousand small ones.
const CHUNK: usize = 512 * 1024;
/// The number of sockets that are handled at once. Events that are due are sent between two such rounds.
const ROUND: usize = 256;
const QUIET: Duration = Duration::from_millis(50);

/// The rate and duration of sending.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Events a second, over all rooms.
    pub rate: f64,
    pub duration: Duration,
    /// The part of that time, from its start, of which no latencies are recorded.
    pub warm_up: Duration,
}

impl Pace {
    pub const fn new(rate: f64, duration: Duration) -> Self {
        Self {
            rate,
            duration,
            warm_up: Duration::ZERO,
        }
    }
}

/// The result of a run.
pub struct Outcome {
    /// Deliveries that were due: each event once for every watcher of its room.
    pub expected: u64,
    pub received: u64,
    /// Sockets that got other events than those that were sent to their room.
    pub mismatched: usize,
    pub closed: usize,
    /// Nanoseconds from the intended time of sending to arrival.
    pub latency: Histogram<u64>,
    /// From the first intended time to the last arrival.
    pub took: Duration,
    /// The largest send delay caused by the load generator itself.
    pub send_delay: Duration,
}

impl Outcome {
    pub fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.received)
    }

    /// Whether every watcher got each event once.
    pub fn is_complete(&self) -> bool {
        self.received == self.expected && self.mismatched == 0 && self.closed == 0
    }

    pub fn latency_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e6
    }
}

/// Many sockets of one system.
pub struct Load {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    /// The sockets of each room, by their indices.
    rooms: Vec<Vec<usize>>,
    /// The number of a room's sockets, from its first, that send; the others only watch.
    senders: usize,
    /// If there are any, they send the events instead of the watching sockets.
    publishers: Option<Publishers>,
    recorder: Recorder,
    chunk: Box<[u8]>,
    next: u64,
}

impl Load {
    pub fn new() -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(ROUND),
            connections: Vec::new(),
            rooms: Vec::new(),
            senders: usize::MAX,
            publishers: None,
            recorder: Recorder::new()?,
            chunk: vec![0; CHUNK].into(),
            next: 0,
        })
    }

    /// Lets only the first sockets of each room send.
    pub fn set_senders(&mut self, senders: usize) {
        self.senders = senders;
    }

    /// Reads for this time, so that pings are answered.
    pub fn idle(&mut self, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.round(Some(left))?;
        }
        Ok(())
    }

    /// Whether nothing arrives for a moment.
    pub fn is_quiet(&mut self) -> Result<bool> {
        let before = self.recorder.received;
        self.idle(QUIET)?;
        Ok(self.recorder.received == before)
    }

    /// Waits until sockets are readable or writable, and reads and writes.
    fn round(&mut self, timeout: Option<Duration>) -> Result<()> {
        if let Err(error) = self.poll.poll(&mut self.events, timeout)
            && error.kind() != std::io::ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        for event in &self.events {
            if let Some(connection) = self.connections.get_mut(event.token().0) {
                if event.is_writable() {
                    connection.flush();
                }
                if event.is_readable() {
                    connection.read(&mut self.chunk, &mut self.recorder);
                }
            } else if let Some(publishers) = &mut self.publishers {
                publishers.handle(event, &mut self.chunk)?;
            }
        }
        Ok(())
    }
}
