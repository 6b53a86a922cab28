//! The node's wall clock, and the clock of its timers for rate limiters.

use std::cell::Cell;
use std::time::{Instant, SystemTime};

use app::model::Timestamp;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

thread_local! {
    /// When a clock of timers shows this, the simulated wall clock shows that.
    static SIMULATED: Cell<Option<(Instant, Timestamp)>> = const { Cell::new(None) };
}

/// The current time, to the millisecond.
pub fn now() -> Timestamp {
    let millis = match SIMULATED.get() {
        Some((at, shown)) => {
            let passed = TimerClock.now().saturating_duration_since(at);
            i64::try_from(passed.as_millis()).map(|passed| shown.unix_millis() + passed)
        }
        None => i64::try_from(
            SystemTime::UNIX_EPOCH
                .elapsed()
                .unwrap_or_default()
                .as_millis(),
        ),
    };
    millis
        .ok()
        .and_then(Timestamp::from_unix_millis)
        .expect("the clock shows a year before 10,000")
}

/// Makes the wall clock on this thread go as the clock of timers: now it shows this time. For simulations.
pub fn simulate(shown: Timestamp) {
    SIMULATED.set(Some((TimerClock.now(), shown)));
}

/// A rate limiter by the clock of timers.
pub type TimerRateLimiter =
    RateLimiter<NotKeyed, InMemoryState, TimerClock, NoOpMiddleware<Instant>>;

/// Creates a rate limiter by the clock of timers.
pub fn rate_limiter(quota: Quota) -> TimerRateLimiter {
    RateLimiter::direct_with_clock(quota, TimerClock)
}

/// The clock of Tokio's timers, which tests can pause.
#[derive(Debug, Clone, Copy)]
pub struct TimerClock;

impl Clock for TimerClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
