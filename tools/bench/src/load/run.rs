//! Sending at intended times, and waiting for what comes of it.

use std::time::Duration;

use anyhow::Result;

use super::meter::{Schedule, Tally};
use super::{Connection, Load, Outcome, Pace, stamp::stamp};

/// How long events may take to arrive after the last one was due, in nanoseconds.
const DRAIN: u64 = 2_000_000_000;
/// The kernel's timers are as exact as this, in nanoseconds: what is due earlier is waited for awake.
const AWAKE: u64 = 1_500_000;
/// From so many deliveries a second on, only one latency in [`SPARSE`] is taken.
const MANY: f64 = 100_000.0;
const SPARSE: u32 = 13;

/// On which way events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// As text frames on the sockets that watch.
    Sockets,
    /// As requests, or whatever else it is, on the connections that were opened for it.
    Posts,
}

impl Load {
    /// Sends events at their intended times, to the rooms in turns, and counts what arrives. In each room the sockets
    /// send in turns too. `event` is the text of an event: the room's place and the event's stamp are given.
    ///
    /// # Errors
    /// When the system refuses to tell about sockets.
    pub fn run(
        &mut self,
        pace: Pace,
        via: Via,
        event: impl Fn(usize, &str) -> String,
    ) -> Result<Outcome> {
        let (schedule, end) = self.begin(pace);
        let expected = self.expected(schedule.first, end);
        let deadline = schedule.due(end) + DRAIN;
        let (mut behind, mut last) = (0, schedule.start);
        while self.meter.received < expected {
            let now = self.meter.time();
            if now > deadline {
                break;
            }
            behind = behind.max(self.send_due(schedule, end, via, &event));
            let next = if self.next < end {
                schedule.due(self.next)
            } else {
                deadline
            };
            let wait = next.saturating_sub(now).saturating_sub(AWAKE);
            let before = self.meter.received;
            self.round(Some(Duration::from_nanos(wait)))?;
            if self.meter.received > before {
                last = self.meter.time();
            }
        }
        Ok(Outcome {
            expected,
            received: self.meter.received,
            wrong: self.wrong(schedule.first, end),
            closed: self.closed(),
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
        let is_many = pace.rate * watchers > MANY;
        let every = if is_many { SPARSE } else { 1 };
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
        via: Via,
        event: impl Fn(usize, &str) -> String,
    ) -> u64 {
        let now = self.meter.time();
        let oldest = self.next;
        let mut said = Vec::new();
        while self.next < end && schedule.due(self.next) <= now {
            let (room, turn) = self.turn(self.next);
            let text = event(room, &stamp(self.next));
            match via {
                Via::Posts => self.posts.send(text),
                Via::Sockets => {
                    let members = &self.rooms[room];
                    let sender = members[turn % members.len().min(self.senders)];
                    self.connections[sender].say(text.as_bytes());
                    said.push(sender);
                }
            }
            self.next += 1;
        }
        for sender in said {
            self.connections[sender].flush();
        }
        self.posts.flush();
        if self.next == oldest {
            return 0;
        }
        now.saturating_sub(schedule.due(oldest))
    }

    /// The room of an event, and how many the room had before it.
    fn turn(&self, number: u64) -> (usize, usize) {
        let number = usize::try_from(number).unwrap_or_default();
        (number % self.rooms.len(), number / self.rooms.len())
    }

    fn closed(&self) -> usize {
        let connections = self.connections.iter();
        connections.filter(|one| one.is_closed()).count()
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
