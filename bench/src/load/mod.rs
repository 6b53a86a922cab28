//! The load: many sockets on one thread, an open loop that sends at intended times, and a count of what arrives.
//!
//! It is made to keep up with the fastest system: raw sockets, large reads, frames told apart by their length alone,
//! no JSON. What it can do at most is shown by the floor ([`crate::servers::floor`]).

mod connection;
mod meter;
mod stamp;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use connection::Connection;
pub use connection::{Script, Step};
use meter::{Meter, Schedule, Tally};
pub use stamp::stamp;

/// Larger than any frame, and enough for a thousand small ones.
const CHUNK: usize = 512 * 1024;
/// Sockets that are told about at once. Between two such rounds what is due is sent.
const ROUND: usize = 256;
/// How long sockets may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long events may take to arrive after the last one was due.
const DRAIN: u64 = 2_000_000_000;
/// The kernel's timers are as exact as this, in nanoseconds: what is due earlier is waited for awake.
const AWAKE: u64 = 1_500_000;
/// From so many deliveries a second on, only one latency in [`SPARSE`] is taken.
const MANY: f64 = 100_000.0;
const SPARSE: u32 = 13;

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
    /// Events that were sent.
    pub sent: u64,
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
            meter: Meter::new()?,
            chunk: vec![0; CHUNK].into(),
            next: 0,
        })
    }

    /// Opens a socket for each of these rooms, `at_once` of them at a time, and waits until all watch. Returns how long
    /// each took from the call.
    ///
    /// # Errors
    /// When one is refused, or not all are ready in a minute.
    pub fn open(
        &mut self,
        server: SocketAddr,
        rooms: &[usize],
        script: impl Fn(usize) -> Script,
        at_once: usize,
    ) -> Result<Histogram<u64>> {
        let start = Instant::now();
        let mut times = Histogram::new(3)?;
        let mut scripts = HashMap::new();
        let mut waiting = Vec::new();
        let mut left = rooms.iter();
        loop {
            while waiting.len() < at_once
                && let Some(room) = left.next()
            {
                let script = scripts
                    .entry(*room)
                    .or_insert_with(|| Rc::new(script(*room)));
                waiting.push(self.connect(server, *room, Rc::clone(script))?);
            }
            if waiting.is_empty() {
                return Ok(times);
            }
            self.round(Some(Duration::from_millis(100)))?;
            let elapsed = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            let connections = &self.connections;
            let before = waiting.len();
            waiting.retain(|index| !connections[*index].is_ready());
            times.record_n(elapsed.max(1), (before - waiting.len()) as u64)?;
            if waiting.iter().any(|index| connections[*index].is_closed()) {
                bail!("a socket was refused");
            }
            if start.elapsed() > READY_WITHIN {
                bail!("{} sockets are not ready after a minute", waiting.len());
            }
        }
    }

    fn connect(&mut self, server: SocketAddr, room: usize, script: Rc<Script>) -> Result<usize> {
        let index = self.connections.len();
        let mut connection = Connection::open(server, index, room, script)?;
        self.poll.registry().register(
            &mut connection.stream,
            Token(index),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        if self.rooms.len() <= room {
            self.rooms.resize_with(room + 1, Vec::new);
        }
        self.rooms[room].push(index);
        self.connections.push(connection);
        Ok(index)
    }

    /// Lets this many sockets read nothing any more.
    pub fn mute(&mut self, count: usize) {
        for connection in self.connections.iter_mut().rev().take(count) {
            connection.mute = true;
        }
    }

    /// Sends events at their intended times, to the rooms in turns, and counts what arrives. In each room the sockets
    /// send in turns too. `event` is the text of an event: the room's place and the event's stamp are given.
    ///
    /// # Errors
    /// When the system refuses to tell about sockets.
    pub fn run(&mut self, pace: Pace, event: impl Fn(usize, &str) -> String) -> Result<Outcome> {
        let (schedule, end) = self.begin(pace);
        let expected = self.expected(schedule.first, end);
        let deadline = schedule.due(end) + DRAIN;
        let mut behind = 0;
        let mut last = schedule.start;
        while self.meter.received < expected {
            let now = self.meter.time();
            behind = behind.max(self.send_due(schedule, end, now, &event));
            let wait = if self.next < end {
                schedule.due(self.next).saturating_sub(now)
            } else {
                deadline.saturating_sub(now)
            };
            if now > deadline {
                break;
            }
            let before = self.meter.received;
            self.round(Some(Duration::from_nanos(wait.saturating_sub(AWAKE))))?;
            if self.meter.received > before {
                last = self.meter.time();
            }
        }
        Ok(Outcome {
            sent: end - schedule.first,
            expected,
            received: self.meter.received,
            wrong: self.wrong(schedule.first, end),
            closed: self
                .connections
                .iter()
                .filter(|one| one.is_closed())
                .count(),
            latency: self.meter.latency.clone(),
            took: Duration::from_nanos(last.saturating_sub(schedule.start)),
            behind: Duration::from_nanos(behind),
        })
    }

    fn begin(&mut self, pace: Pace) -> (Schedule, u64) {
        let schedule = Schedule {
            first: self.next,
            start: self.meter.time(),
            interval: 1e9 / pace.rate,
        };
        let events = (pace.rate * pace.duration.as_secs_f64()).ceil().max(1.0) as u64;
        let warm_from = schedule.first + (pace.rate * pace.warm_up.as_secs_f64()) as u64;
        let watchers = self.connections.len() as f64 / self.rooms.len().max(1) as f64;
        let every = if pace.rate * watchers > MANY {
            SPARSE
        } else {
            1
        };
        self.meter.begin(schedule, warm_from, every);
        for connection in &mut self.connections {
            connection.tally = Tally::default();
        }
        (schedule, schedule.first + events)
    }

    /// Sends all that is due; by how much the oldest of it is late.
    fn send_due(
        &mut self,
        schedule: Schedule,
        end: u64,
        now: u64,
        event: impl Fn(usize, &str) -> String,
    ) -> u64 {
        let late = now.saturating_sub(schedule.due(self.next));
        let mut senders = Vec::new();
        while self.next < end && schedule.due(self.next) <= now {
            let (room, turn) = self.turn(self.next);
            let members = &self.rooms[room];
            let sender = members[turn % members.len()];
            let text = event(room, &stamp(self.next));
            self.connections[sender].say(text.as_bytes());
            senders.push(sender);
            self.next += 1;
        }
        for sender in &senders {
            self.connections[*sender].flush();
        }
        if senders.is_empty() { 0 } else { late }
    }

    /// The room of an event, and how many the room had before it.
    fn turn(&self, number: u64) -> (usize, usize) {
        let number = usize::try_from(number).unwrap_or_default();
        (number % self.rooms.len(), number / self.rooms.len())
    }

    /// Waits for sockets to tell something, and does what they tell.
    fn round(&mut self, timeout: Option<Duration>) -> Result<()> {
        if let Err(error) = self.poll.poll(&mut self.events, timeout)
            && error.kind() != std::io::ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        for event in &self.events {
            let connection = &mut self.connections[event.token().0];
            if event.is_writable() {
                connection.flush();
            }
            if event.is_readable() {
                connection.read(&mut self.chunk, &mut self.meter);
            }
        }
        Ok(())
    }

    /// Reads for a while whatever arrives, so that pings are answered.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn idle(&mut self, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.round(Some(left))?;
        }
        Ok(())
    }

    fn expected(&self, first: u64, end: u64) -> u64 {
        let rooms = self.rooms.len();
        let each = self.rooms.iter().enumerate().map(|(room, members)| {
            let listeners = members
                .iter()
                .filter(|index| !self.connections[**index].mute);
            listeners.count() as u64 * events_of(room, rooms, first, end).received
        });
        each.sum()
    }

    /// The sockets whose events do not add up, in number or in sum.
    fn wrong(&self, first: u64, end: u64) -> usize {
        let of_rooms: Vec<_> = (0..self.rooms.len())
            .map(|room| events_of(room, self.rooms.len(), first, end))
            .collect();
        let is_wrong = |one: &&Connection| !one.mute && one.tally != of_rooms[one.room];
        self.connections.iter().filter(is_wrong).count()
    }
}

/// What each socket of a room gets of the events from `first` to before `end`, which are sent to `rooms` in turns.
fn events_of(room: usize, rooms: usize, first: u64, end: u64) -> Tally {
    let (room, rooms) = (room as u64, rooms as u64);
    let earliest = first + (room + rooms - first % rooms) % rooms;
    let received = end.saturating_sub(earliest).div_ceil(rooms);
    Tally {
        received,
        sum: received * earliest + rooms * (received * received.saturating_sub(1) / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_room_gets_its_own_events() {
        for (rooms, first, end) in [(1, 0, 10), (3, 0, 10), (3, 7, 8), (5, 4, 23), (7, 3, 5)] {
            for room in 0..rooms {
                let own = (first..end).filter(|number| number % rooms as u64 == room as u64);
                let own = own.fold(Tally::default(), |tally, number| Tally {
                    received: tally.received + 1,
                    sum: tally.sum + number,
                });
                assert_eq!(events_of(room, rooms, first, end), own);
            }
        }
    }
}
