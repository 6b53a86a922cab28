//! Fetching missing messages: one request at a time, not before frames had the time to bring them, and after a failure
//! with a growing delay.

use super::effect::{Effect, Now, Timer};
use crate::model::Seq;

/// How long messages may be missing on a live connection before they are fetched, in milliseconds: the answer to the
/// tab's own post often arrives before its frame and those of the messages before it.
const GRACE_MILLIS: u32 = 250;
/// How many entries one request brings: as many as the server allows, with the last listed one. When more are missing,
/// the newest are fetched instead, and the older ones are left to the reader.
pub(super) const MAX_BACKFILL: u64 = 199;

/// Whether a request is under way, or when the next may start.
#[derive(Debug, Default)]
pub(super) struct Backfill {
    request: Request,
    /// The head that was known when the last request started.
    head_before: Seq,
    /// `Timer::Backfill` runs.
    delayed: bool,
    /// The grace period for the messages that are missing now is over.
    grace_over: bool,
    failures: u32,
}

/// A request under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Request {
    #[default]
    None,
    UnderWay,
    /// Its answer may be about an earlier history and is ignored.
    Outdated,
}

impl Backfill {
    /// Starts a request for the newest messages, unless one is under way or must wait.
    pub fn start_newest(&mut self, head: Seq) -> Option<Effect> {
        if self.request != Request::None || self.delayed {
            return None;
        }
        self.request = Request::UnderWay;
        self.head_before = head;
        Some(Effect::FetchNewest)
    }

    /// Starts a request for what follows `cursor`, unless one is under way or must wait. On a live connection frames
    /// get the grace period first.
    pub fn start(&mut self, cursor: Seq, head: Seq, live: bool) -> Option<Effect> {
        if self.request != Request::None || self.delayed {
            return None;
        }
        if live && !self.grace_over {
            self.grace_over = true;
            self.delayed = true;
            return Some(Effect::Start(Timer::Backfill, GRACE_MILLIS));
        }
        self.request = Request::UnderWay;
        self.head_before = head;
        let missing = head.get().saturating_sub(cursor.get());
        Some(if missing > MAX_BACKFILL {
            Effect::FetchNewest
        } else {
            Effect::FetchFrom(cursor)
        })
    }

    /// Nothing is missing.
    pub fn complete(&mut self) {
        self.grace_over = false;
    }

    /// No frame will bring what is missing: the next request starts at once.
    pub fn skip_grace(&mut self) {
        self.delayed = false;
        self.grace_over = true;
    }

    /// The server has another history: the answer to a request that is under way must be ignored.
    pub fn restart(&mut self) {
        if self.request == Request::UnderWay {
            self.request = Request::Outdated;
        }
    }

    /// Ends the request if its answer may be about an earlier history.
    pub fn take_outdated(&mut self) -> bool {
        let is_outdated = self.request == Request::Outdated;
        if is_outdated {
            self.request = Request::None;
        }
        is_outdated
    }

    /// Whether an answer has a lower head than was known before the request: the server has another history.
    pub fn contradicts(&self, head: Seq) -> bool {
        head < self.head_before
    }

    /// The request brought what was asked for.
    pub fn on_success(&mut self) {
        self.request = Request::None;
        self.failures = 0;
    }

    /// The request failed, or brought nothing though messages are missing.
    pub fn on_failure(&mut self, now: Now) -> Effect {
        self.request = Request::None;
        self.delayed = true;
        let delay = now.backoff(self.failures);
        self.failures = self.failures.saturating_add(1);
        Effect::Start(Timer::Backfill, delay)
    }

    /// The delay is over, or the browser is online again.
    pub fn resume(&mut self) {
        self.delayed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(backfill: &mut Backfill, missing: u64, live: bool) -> Option<Effect> {
        backfill.start(Seq::new(10), Seq::new(10 + missing), live)
    }

    #[test]
    fn frames_get_a_grace_period_on_a_live_connection() {
        let mut backfill = Backfill::default();
        let grace = Effect::Start(Timer::Backfill, GRACE_MILLIS);
        assert_eq!(start(&mut backfill, 1, true), Some(grace));
        assert_eq!(start(&mut backfill, 1, true), None);
        backfill.resume();
        let fetch = Effect::FetchFrom(Seq::new(10));
        assert_eq!(start(&mut backfill, 1, true), Some(fetch));
    }

    #[test]
    fn one_request_is_under_way_at_a_time() {
        let mut backfill = Backfill::default();
        assert!(start(&mut backfill, 1, false).is_some());
        assert_eq!(start(&mut backfill, 1, false), None);
        backfill.on_success();
        assert!(start(&mut backfill, 1, false).is_some());
    }

    #[test]
    fn what_one_request_cannot_bring_is_skipped() {
        let fetch = |missing| start(&mut Backfill::default(), missing, false);
        assert_eq!(fetch(199), Some(Effect::FetchFrom(Seq::new(10))));
        assert_eq!(fetch(200), Some(Effect::FetchNewest));
        assert_eq!(fetch(10_000), Some(Effect::FetchNewest));
    }

    #[test]
    fn failures_delay_the_next_request_longer_each_time() {
        let now = Now {
            millis: 0,
            random: 0.5,
        };
        let mut backfill = Backfill::default();
        for delay in [250, 500, 1_000] {
            assert!(start(&mut backfill, 1, false).is_some());
            let retry = Effect::Start(Timer::Backfill, delay);
            assert_eq!(backfill.on_failure(now), retry);
            assert_eq!(start(&mut backfill, 1, false), None);
            backfill.resume();
        }
    }
}
