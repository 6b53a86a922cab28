//! Exponential backoff with jitter, without a limit on attempts.

use std::time::Duration;

use rand::RngExt;
use tokio::time::sleep;

use crate::random;

const MIN_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(5);

/// The delay before the next attempt, which grows with each.
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(MIN_DELAY)
    }
}

impl Backoff {
    /// Waits for half to all of the delay, which is 100 ms at first and doubles up to 5 s.
    pub async fn wait(&mut self) {
        let part = random::rng().random_range(0.5..=1.0);
        sleep(self.0.mul_f64(part)).await;
        self.0 = (self.0 * 2).min(MAX_DELAY);
    }
}
