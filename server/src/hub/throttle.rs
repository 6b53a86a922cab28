//! Limits the rate of one kind of command.

use std::time::Duration;

use governor::Quota;
use tokio::time::Instant;

use crate::clock::{TimerRateLimiter, rate_limiter};

/// After this time without a dropped command, the next dropped one of its kind is refused again.
const QUIET_PERIOD: Duration = Duration::from_secs(1);

/// Limits the rate of one kind of command.
pub(super) struct Throttle {
    /// `None` if there is no limit.
    limiter: Option<TimerRateLimiter>,
    last_dropped: Option<Instant>,
}

/// Whether a command is executed or dropped.
pub(super) enum ThrottleResult {
    Allowed,
    /// Dropped as the first in a while, so it is refused.
    FirstDropped,
    /// Dropped silently, because refusals are frames too.
    Dropped,
}

impl Throttle {
    pub(super) fn new(quota: Option<Quota>) -> Self {
        Self {
            limiter: quota.map(rate_limiter),
            last_dropped: None,
        }
    }

    pub(super) fn check(&mut self) -> ThrottleResult {
        if self
            .limiter
            .as_ref()
            .is_none_or(|limiter| limiter.check().is_ok())
        {
            return ThrottleResult::Allowed;
        }
        match self.last_dropped.replace(Instant::now()) {
            Some(last) if last.elapsed() < QUIET_PERIOD => ThrottleResult::Dropped,
            _ => ThrottleResult::FirstDropped,
        }
    }
}
