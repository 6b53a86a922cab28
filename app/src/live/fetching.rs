//! Fetching what is missing: one fetch at a time, and after a failure a rest that grows.

use super::effect::{Effect, Now, Timer};
use crate::model::Seq;

/// Whether a fetch is under way, or when the next may start.
#[derive(Debug, Default)]
pub(super) struct Fetching {
    in_flight: bool,
    /// `Timer::Refetch` runs.
    resting: bool,
    failures: u32,
}

impl Fetching {
    /// Starts a fetch of what comes after `cursor`, unless one is under way or must wait.
    pub fn pull(&mut self, cursor: Seq) -> Option<Effect> {
        if self.in_flight || self.resting {
            return None;
        }
        self.in_flight = true;
        Some(Effect::FetchAfter(cursor))
    }

    /// The fetch brought what was asked for.
    pub fn succeeded(&mut self) {
        self.in_flight = false;
        self.failures = 0;
    }

    /// The fetch failed, or brought nothing though something is missing.
    pub fn failed(&mut self, now: Now) -> Effect {
        self.in_flight = false;
        self.resting = true;
        let delay = now.backoff(self.failures);
        self.failures = self.failures.saturating_add(1);
        Effect::Start(Timer::Refetch, delay)
    }

    /// The rest is over, or there is news that make a try worthwhile.
    pub fn rested(&mut self) {
        self.resting = false;
    }
}
