//! Pictures that could not be made or stored, which are not tried again for a while.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use crate::http::error::RETRY_AFTER;

/// For how long a picture is not tried again after its first failure: clients are told to wait as long. Each further
/// one doubles it.
const FIRST_PAUSE: Duration = RETRY_AFTER;
const MAX_PAUSE: Duration = Duration::from_mins(5);
/// The most pictures that are remembered. Further ones may be tried again at once, within the rate limit of an address.
const MAX_FAILURES: usize = 200;

/// The pictures that have failed lately, by id, with the answers to those who ask for them.
pub(super) struct Failures<I, A>(HashMap<I, Failure<A>>);

struct Failure<A> {
    answer: A,
    pause: Duration,
    since: Instant,
}

impl<A> Failure<A> {
    /// A failure is remembered for twice its pause, so that the next one is known as a further one.
    fn is_remembered(&self, now: Instant) -> bool {
        now < self.since + 2 * self.pause
    }
}

impl<I, A> Default for Failures<I, A> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<I: Hash + Eq, A: Clone> Failures<I, A> {
    /// Returns the answer if the picture is not to be tried again yet.
    pub fn answer(&self, id: &I, now: Instant) -> Option<A> {
        let failure = self.0.get(id)?;
        (now < failure.since + failure.pause).then(|| failure.answer.clone())
    }

    /// Remembers a failure.
    pub fn add(&mut self, id: I, answer: A, now: Instant) {
        self.insert(id, answer, |last| (2 * last).min(MAX_PAUSE), now);
    }

    /// Remembers that a picture had to wait for too long. That says nothing about it, so that its pause does not grow.
    pub fn add_busy(&mut self, id: I, answer: A, now: Instant) {
        self.insert(id, answer, |last| last, now);
    }

    fn insert(&mut self, id: I, answer: A, next: fn(Duration) -> Duration, now: Instant) {
        self.0.retain(|_, failure| failure.is_remembered(now));
        let last = self.0.get(&id).map(|failure| failure.pause);
        if last.is_none() && self.0.len() >= MAX_FAILURES {
            return;
        }
        let failure = Failure {
            answer,
            pause: last.map_or(FIRST_PAUSE, next),
            since: now,
        };
        self.0.insert(id, failure);
    }

    /// Forgets the failures of a picture that was made and stored.
    pub fn remove(&mut self, id: &I) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails at this time, and returns for how long the picture is not tried again.
    fn pause_after(failures: &mut Failures<usize, ()>, at: Instant) -> Duration {
        failures.add(0, (), at);
        let waits = |pause: &Duration| failures.answer(&0, at + *pause).is_some();
        let mut seconds = (0..).map(Duration::from_secs);
        seconds.find(|pause| !waits(pause)).unwrap()
    }

    #[test]
    fn a_picture_that_had_to_wait_pauses_no_longer_each_time() {
        let mut failures = Failures::default();
        let start = Instant::now();
        for n in 0..3 {
            let at = start + n * FIRST_PAUSE;
            failures.add_busy(0, (), at);
            assert!(failures.answer(&0, at).is_some());
            assert!(failures.answer(&0, at + FIRST_PAUSE).is_none());
        }
    }

    #[test]
    fn each_failure_doubles_the_pause_up_to_five_minutes() {
        let mut failures = Failures::default();
        let mut now = Instant::now();
        for expected in [3, 6, 12, 24, 48, 96, 192, 300, 300] {
            let pause = pause_after(&mut failures, now);
            assert_eq!(pause, Duration::from_secs(expected));
            now += pause;
        }
        // Long after the last one it is as for the first time, and also once it was made.
        now += 2 * MAX_PAUSE;
        assert_eq!(pause_after(&mut failures, now), FIRST_PAUSE);
        failures.remove(&0);
        assert_eq!(pause_after(&mut failures, now), FIRST_PAUSE);
    }

    #[test]
    fn the_answer_is_that_of_the_last_failure() {
        let mut failures = Failures::default();
        let now = Instant::now();
        assert_eq!(failures.answer(&1, now), None);
        failures.add(1, "one", now);
        failures.add(2, "two", now);
        failures.add(1, "another", now);
        assert_eq!(failures.answer(&1, now), Some("another"));
        assert_eq!(failures.answer(&2, now), Some("two"));
    }

    #[test]
    fn the_table_is_bounded_and_forgets() {
        let mut failures = Failures::default();
        let now = Instant::now();
        for id in 0..2 * MAX_FAILURES {
            failures.add(id, (), now);
        }
        assert_eq!(failures.0.len(), MAX_FAILURES);
        failures.add(0, (), now + 2 * FIRST_PAUSE);
        assert_eq!(failures.0.len(), 1);
    }
}
