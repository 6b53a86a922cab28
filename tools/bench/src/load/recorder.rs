//! Counts what arrives, and how late.

use std::time::Instant;

use anyhow::Result;
use hdrhistogram::Histogram;

use super::sequence::SequenceFinder;

/// A minute, in nanoseconds.
const LONGEST_LATENCY: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

/// The events that have arrived at one socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    pub count: u64,
    /// The sum of their sequence numbers: another check beside their count.
    pub sum: u64,
}

impl Received {
    #[inline]
    pub fn add(&mut self, number: u64) {
        self.count += 1;
        self.sum += number;
    }
}

/// When events are meant to be sent, in nanoseconds of the recorder's clock: number `first` at `start`, the others at
/// equal distances.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    pub first: u64,
    pub start: u64,
    pub interval: f64,
}

impl Schedule {
    #[inline]
    pub fn due(&self, number: u64) -> u64 {
        self.start + ((number - self.first) as f64 * self.interval) as u64
    }
}

/// Counts events and records their latencies, from the time at which they were meant to be sent.
pub struct Recorder {
    /// In nanoseconds.
    pub latency: Histogram<u64>,
    /// Events that arrived at any socket.
    pub received: u64,
    clock: Instant,
    now: u64,
    finder: SequenceFinder,
    schedule: Schedule,
    /// The first event whose latency is recorded.
    warm_from: u64,
    /// Of so many latencies one is recorded.
    every: u32,
    until_next: u32,
}

impl Recorder {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            latency: Histogram::new_with_max(LONGEST_LATENCY, DIGITS)?,
            received: 0,
            clock: Instant::now(),
            now: 0,
            finder: SequenceFinder::default(),
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

    /// Begins to count the events of this schedule only.
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
    pub(super) fn read_clock(&mut self) {
        self.now = self.time();
    }

    /// Nanoseconds since the recorder was made.
    #[inline]
    pub(super) fn time(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Counts the events of one frame.
    #[inline]
    pub(super) fn record(&mut self, payload: &[u8], by_socket: &mut Received) {
        let Self {
            latency,
            received,
            now,
            finder,
            schedule,
            warm_from,
            every,
            until_next,
            ..
        } = self;
        finder.each(payload, |number| {
            // Late events of an earlier schedule.
            if number < schedule.first {
                return;
            }
            *received += 1;
            by_socket.add(number);
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
