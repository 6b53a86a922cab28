//! Sending at intended times, and waiting for what comes of it.

use std::time::Duration;

use anyhow::Result;

use super::recorder::{Received, Schedule};
use super::{Connection, Load, Outcome, Pace, sequence};

/// How long events may take to arrive after the last one was due, in nanoseconds.
const DRAIN_TIMEOUT: u64 = 2_000_000_000;
/// The kernel's timers are as exact as this, in nanoseconds: what is due earlier is waited for without sleeping.
const BUSY_WAIT: u64 = 1_500_000;
/// From so many deliveries a second on, only one latency in [`SPARSE`] is recorded.
const MANY: f64 = 100_000.0;
const SPARSE: u32 = 13;

/// The events of one room.
#[derive(Debug, Clone, Copy, Default)]
struct Room {
    sent: Received,
    /// How many sockets are to receive each.
    watchers: u64,
}

impl Load {
    /// Sends events at their intended times, to the rooms in turns, and counts what arrives. In each room the sockets
    /// send in turns too. `event` makes an event of the room's index and the text of its sequence number.
    pub fn run(&mut self, pace: Pace, event: impl Fn(usize, &str) -> String) -> Result<Outcome> {
        let (schedule, end) = self.begin(pace);
        let mut rooms = vec![Room::default(); self.rooms.len()];
        for connection in self.connections.iter().filter(|one| !one.stalled) {
            rooms[connection.room].watchers += 1;
        }
        let deadline = schedule.due(end) + DRAIN_TIMEOUT;
        let (mut expected, mut send_delay, mut last) = (0, 0, schedule.start);
        loop {
            let now = self.recorder.time();
            let first = self.next;
            self.send_due(schedule, end, &mut rooms, &mut expected, &event)?;
            if self.next > first {
                send_delay = send_delay.max(now.saturating_sub(schedule.due(first)));
            }
            let is_complete = self.next == end && self.recorder.received >= expected;
            if is_complete || now > deadline {
                break;
            }
            let next = if self.next < end {
                schedule.due(self.next)
            } else {
                deadline
            };
            let wait = next.saturating_sub(now).saturating_sub(BUSY_WAIT);
            let before = self.recorder.received;
            self.round(Some(Duration::from_nanos(wait)))?;
            if self.recorder.received > before {
                last = self.recorder.time();
            }
        }
        let count = |is_it: &dyn Fn(&Connection) -> bool| {
            self.connections.iter().filter(|one| is_it(one)).count()
        };
        Ok(Outcome {
            expected,
            received: self.recorder.received,
            mismatched: count(&|one| !one.stalled && one.received != rooms[one.room].sent),
            closed: count(&Connection::is_closed),
            latency: self.recorder.latency.clone(),
            took: Duration::from_nanos(last.saturating_sub(schedule.start)),
            send_delay: Duration::from_nanos(send_delay),
        })
    }

    fn begin(&mut self, pace: Pace) -> (Schedule, u64) {
        let schedule = Schedule {
            first: self.next,
            start: self.recorder.time(),
            interval: 1e9 / pace.rate,
        };
        let events = (pace.rate * pace.duration.as_secs_f64()).ceil().max(1.0) as u64;
        let warm_from = schedule.first + (pace.rate * pace.warm_up.as_secs_f64()) as u64;
        let watchers = self.connections.len() as f64 / self.rooms.len().max(1) as f64;
        let is_many = pace.rate * watchers > MANY;
        let every = if is_many { SPARSE } else { 1 };
        self.recorder.begin(schedule, warm_from, every);
        for connection in &mut self.connections {
            connection.received = Received::default();
        }
        (schedule, schedule.first + events)
    }

    /// Sends all that is due, and adds its deliveries to `expected`.
    fn send_due(
        &mut self,
        schedule: Schedule,
        end: u64,
        rooms: &mut [Room],
        expected: &mut u64,
        event: impl Fn(usize, &str) -> String,
    ) -> Result<()> {
        let now = self.recorder.time();
        let mut to_flush = Vec::new();
        while self.next < end && schedule.due(self.next) <= now {
            let number = usize::try_from(self.next)?;
            let (room, turn) = (number % rooms.len(), number / rooms.len());
            let text = event(room, &sequence::text(self.next));
            if let Some(publishers) = &mut self.publishers {
                publishers.send(text);
            } else {
                let members = &self.rooms[room];
                let sender = members[turn % members.len().min(self.senders)];
                self.connections[sender].queue(text.as_bytes());
                to_flush.push(sender);
            }
            rooms[room].sent.add(self.next);
            *expected += rooms[room].watchers;
            self.next += 1;
        }
        for sender in to_flush {
            self.connections[sender].flush();
        }
        if let Some(publishers) = &mut self.publishers {
            publishers.flush()?;
        }
        Ok(())
    }
}
