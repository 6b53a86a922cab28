//! What a node does at intervals. Fixed for nodes; tests shorten it.

use std::time::Duration;

/// What a hub does at intervals.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often a posted conversation's head is told again (the beacon).
    pub beacon_every: Duration,
    /// How often a silent socket is pinged; one that answers neither of two pings is closed.
    pub ping_every: Duration,
    /// How long a socket may take nothing of what waits for it before it counts as too slow.
    pub stuck_after: Duration,
}

impl Pace {
    /// The shortest time after which something happens to a socket, at least 100 ms.
    pub fn shortest(&self) -> Duration {
        let shortest = self.ping_every.min(self.stuck_after);
        shortest.max(Duration::from_millis(100))
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            beacon_every: Duration::from_secs(10),
            ping_every: Duration::from_secs(30),
            stuck_after: Duration::from_secs(20),
        }
    }
}

/// Whether and when images are swept.
#[derive(Debug, Clone, Copy)]
pub struct SweepPace {
    /// Whether they are.
    pub is_on: bool,
    /// How long after the start for the first time.
    pub first_after: Duration,
    /// At most so much later, at random, so that nodes that start together do not sweep together.
    pub jitter: Duration,
    /// How often after that.
    pub every: Duration,
    /// The pause between two stretches of a sweep.
    pub pause: Duration,
    /// How long an orphan is set aside before it is removed.
    pub set_aside_for: Duration,
    /// How often it is looked whether the store and the images belong together.
    pub check_every: Duration,
}

impl Default for SweepPace {
    fn default() -> Self {
        Self {
            is_on: true,
            first_after: Duration::from_hours(6),
            jitter: Duration::from_hours(1),
            every: Duration::from_hours(6),
            pause: Duration::from_secs(1),
            set_aside_for: Duration::from_hours(7 * 24),
            check_every: Duration::from_mins(5),
        }
    }
}
