//! How long to wait before the next try: longer each time, and never the same for two nodes.

use std::time::Duration;

use rand::RngExt;
use tokio::time::sleep;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Tries without end.
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(SHORTEST)
    }
}

impl Backoff {
    /// Waits between half of the time and all of it: 100 ms at first, twice as long each time, 5 s at most.
    pub async fn wait(&mut self) {
        let part = rand::rng().random_range(0.5..=1.0);
        sleep(self.0.mul_f64(part)).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}
