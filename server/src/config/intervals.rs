//! Intervals of background work. Only tests change them.

use std::time::Duration;

use super::values::switch;

/// Whether and when images are swept. Only tests change the intervals.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct SweepSchedule {
    /// 1: images that no upload refers to are removed after a week; 0: they are kept
    #[arg(long = "sweep", env = "TONESA_SWEEP", value_name = "0|1", default_value = "1", value_parser = switch,
        action = clap::ArgAction::Set)]
    pub is_on: bool,
    /// How long after the start the first sweep is made.
    #[arg(skip = Duration::from_hours(6))]
    pub first_after: Duration,
    /// A random delay up to this is added, so that nodes that start together do not sweep together.
    #[arg(skip = Duration::from_hours(1))]
    pub jitter: Duration,
    /// How long after that the next one is made.
    #[arg(skip = Duration::from_hours(6))]
    pub every: Duration,
    /// The pause between two batches of a sweep.
    #[arg(skip = Duration::from_secs(1))]
    pub pause: Duration,
    /// How long an orphan stays marked before it is removed.
    #[arg(skip = Duration::from_hours(7 * 24))]
    pub mark_duration: Duration,
    /// How often the pairing of store and blobs is checked.
    #[arg(skip = Duration::from_mins(5))]
    pub check_every: Duration,
}

/// Intervals of the hub. Only tests change them.
#[derive(Debug, Clone, Copy)]
pub struct HubIntervals {
    /// How often the head of a conversation with new messages is announced again (the head announcer).
    pub announce_every: Duration,
    /// How often a silent socket is pinged; one that answers neither of two pings is closed.
    pub ping_every: Duration,
    /// How long a socket may take none of the bytes that wait for it before it counts as too slow.
    pub stuck_after: Duration,
}

impl HubIntervals {
    /// Returns the shortest interval at which sockets have to be checked, at least 100 ms.
    pub fn shortest(&self) -> Duration {
        let shortest = self.ping_every.min(self.stuck_after);
        shortest.max(Duration::from_millis(100))
    }
}

impl Default for HubIntervals {
    fn default() -> Self {
        Self {
            announce_every: Duration::from_secs(10),
            ping_every: Duration::from_secs(30),
            stuck_after: Duration::from_secs(20),
        }
    }
}
