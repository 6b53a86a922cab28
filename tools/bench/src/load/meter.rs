//! Counts what arrives, and how late.

use std::time::Instant;

use anyhow::Result;
use hdrhistogram::Histogram;

use super::stamp::Stamps;

/// One part in a thousand is told apart, up to a minute.
const LONGEST: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

/// What has arrived at one socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events.
    pub received: u64,
    /// Their numbers, added up: another check beside their count.
    pub sum: u64,
}

/// When events are meant to be sent: number `first` at `start`, the others at equal distances.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// The first event's number.
    pub first: u64,
    /// When it is due, in nanoseconds of the meter's clock.
    pub start: u64,
    /// Nanoseconds between two events.
    pub interval: f64,
}

impl Schedule {
    /// When an event is due, in nanoseconds of the meter's clock.
    #[inline]
    pub fn due(&self, number: u64) -> u64 {
        self.start + ((number - self.first) as f64 * self.interval) as u64
    }
}

/// Counts events and takes their latencies, from the time at which they were meant to be sent.
pub struct Meter {
    /// Latencies in nanoseconds.
    pub latency: Histogram<u64>,
    /// Events that arrived at any socket.
    pub received: u64,
    clock: Instant,
    now: u64,
    stamps: Stamps,
    schedule: Schedule,
    /// Events before this one are counted, but their latencies are not taken.
    warm_from: u64,
    /// The latency of every so many is taken.
    every: u32,
    until_next: u32,
}

impl Meter {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            latency: Histogram::new_with_max(LONGEST, DIGITS)?,
            received: 0,
            clock: Instant::now(),
            now: 0,
            stamps: Stamps::default(),
            schedule: Schedule {
                first: u64::MAX,
                start: 0,
                interval: 0.0,
            },
            warm_from: 0,
            every: 1,
            until_next: 1,
        })
    }

    /// Counts anew, for the events of this schedule only.
    pub(super) fn begin(&mut self, schedule: Schedule, warm_from: u64, every: u32) {
        self.latency.reset();
        self.received = 0;
        self.schedule = schedule;
        self.warm_from = warm_from;
        self.every = every;
        self.until_next = every;
    }

    /// Reads the clock, for what was just read from a socket.
    #[inline]
    pub(super) fn look_at_the_clock(&mut self) {
        self.now = self.time();
    }

    /// Nanoseconds since the meter was made.
    #[inline]
    pub(super) fn time(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Counts the events of one frame.
    #[inline]
    pub(super) fn data(&mut self, payload: &[u8], tally: &mut Tally) {
        let Self {
            latency,
            received,
            now,
            stamps,
            schedule,
            warm_from,
            every,
            until_next,
            ..
        } = self;
        stamps.each(payload, |number| {
            // Late ones of an earlier schedule are nobody's.
            if number < schedule.first {
                return;
            }
            *received += 1;
            tally.received += 1;
            tally.sum += number;
            *until_next -= 1;
            if *until_next == 0 {
                *until_next = *every;
                if number >= *warm_from {
                    latency.saturating_record(now.saturating_sub(schedule.due(number)));
                }
            }
        });
    }
}
