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

impl Load {
    /// Sends events at their intended times, to the rooms in turns, and counts what arrives. In each room the sockets send in
    /// turns too. `event` makes an event of the room's index and the text of its sequence number.
    pub fn run(&mut self, pace: Pace, event: impl Fn(usize, &str) -> String) -> Result<Outcome> {
        let (schedule, end) = self.begin(pace);
        let events: Vec<_> = (0..self.rooms.len())
            .map(|room| events_of(room, self.rooms.len(), schedule.first, end))
            .collect();
        let watching = || self.connections.iter().filter(|one| !one.stalled);
        let expected = watching().map(|one| events[one.room].count).sum();
        let deadline = schedule.due(end) + DRAIN_TIMEOUT;
        let (mut send_delay, mut last) = (0, schedule.start);
        while self.recorder.received < expected {
            let now = self.recorder.time();
            if now > deadline {
                break;
            }
            send_delay = send_delay.max(self.send_due(schedule, end, &event)?);
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
            mismatched: count(&|one| !one.stalled && one.received != events[one.room]),
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

    /// Sends all that is due; by how many nanoseconds the oldest of it is late.
    fn send_due(
        &mut self,
        schedule: Schedule,
        end: u64,
        event: impl Fn(usize, &str) -> String,
    ) -> Result<u64> {
        let now = self.recorder.time();
        let oldest = self.next;
        let mut to_flush = Vec::new();
        while self.next < end && schedule.due(self.next) <= now {
            let number = usize::try_from(self.next)?;
            let (room, turn) = (number % self.rooms.len(), number / self.rooms.len());
            let text = event(room, &sequence::text(self.next));
            if let Some(publishers) = &mut self.publishers {
                publishers.send(text);
            } else {
                let members = &self.rooms[room];
                let sender = members[turn % members.len().min(self.senders)];
                self.connections[sender].queue(text.as_bytes());
                to_flush.push(sender);
            }
            self.next += 1;
        }
        for sender in to_flush {
            self.connections[sender].flush();
        }
        if let Some(publishers) = &mut self.publishers {
            publishers.flush()?;
        }
        if self.next == oldest {
            return Ok(0);
        }
        Ok(now.saturating_sub(schedule.due(oldest)))
    }
}

/// What each socket of a room gets of the events from `first` to before `end`, which are sent to `rooms` in turns.
fn events_of(room: usize, rooms: usize, first: u64, end: u64) -> Received {
    let (room, rooms) = (room as u64, rooms as u64);
    let earliest = first + (room + rooms - first % rooms) % rooms;
    let count = end.saturating_sub(earliest).div_ceil(rooms);
    Received {
        count,
        sum: count * earliest + rooms * (count * count.saturating_sub(1) / 2),
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
                let expected = Received {
                    count: own.clone().count() as u64,
                    sum: own.sum(),
                };
                assert_eq!(events_of(room, rooms, first, end), expected);
            }
        }
    }
}
