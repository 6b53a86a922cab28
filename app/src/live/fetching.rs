//! Fetching what is missing: one fetch at a time, not before frames had the time to bring it, and after a failure a rest
//! that grows.

use super::effect::{Effect, Now, Timer};
use crate::model::Seq;

/// How long something may be missing on a live line before it is fetched, in milliseconds: the answer to one's own post
/// is often faster than the frames of the messages before it.
const PATIENCE_MILLIS: u32 = 250;

/// Whether a fetch is under way, or when the next may start.
#[derive(Debug, Default)]
pub(super) struct Fetching {
    in_flight: bool,
    /// `Timer::Refetch` runs.
    resting: bool,
    /// What is missing has been waited for.
    waited: bool,
    failures: u32,
}

impl Fetching {
    /// Starts a fetch of what comes after `cursor`, unless one is under way or must wait. On a live line the frames that
    /// are on their way come first.
    pub fn pull(&mut self, cursor: Seq, live: bool) -> Option<Effect> {
        if self.in_flight || self.resting {
            return None;
        }
        if live && !self.waited {
            self.waited = true;
            self.resting = true;
            return Some(Effect::Start(Timer::Refetch, PATIENCE_MILLIS));
        }
        self.in_flight = true;
        Some(Effect::FetchAfter(cursor))
    }

    /// Nothing is missing.
    pub fn whole(&mut self) {
        self.waited = false;
    }

    /// No frame on its way will bring what is missing.
    pub fn hurry(&mut self) {
        self.resting = false;
        self.waited = true;
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
