//! What a node does at intervals. Only tests change them.

use std::time::Duration;

use super::values::switch;

/// Whether and when images are swept. Only tests change the intervals.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct SweepPace {
    /// 0: images that no upload refers to are left where they are
    #[arg(long = "sweep", env = "TONESA_SWEEP", value_name = "0|1", default_value = "1", value_parser = switch,
        action = clap::ArgAction::Set)]
    pub is_on: bool,
    /// How long after the start for the first time.
    #[arg(skip = Duration::from_hours(6))]
    pub first_after: Duration,
    /// At most so much later, at random, so that nodes that start together do not sweep together.
    #[arg(skip = Duration::from_hours(1))]
    pub jitter: Duration,
    /// How often after that.
    #[arg(skip = Duration::from_hours(6))]
    pub every: Duration,
    /// The pause between two stretches of a sweep.
    #[arg(skip = Duration::from_secs(1))]
    pub pause: Duration,
    /// How long an orphan is set aside before it is removed.
    #[arg(skip = Duration::from_hours(7 * 24))]
    pub set_aside_for: Duration,
    /// How often it is checked whether the store and the images belong together.
    #[arg(skip = Duration::from_mins(5))]
    pub check_every: Duration,
}

/// What a hub does at intervals. Only tests change it.
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
