//! The kinds of faults: those of real processes and connections. What frames and clients do is simulated elsewhere.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    RedisKilled,
    /// Redis accepts connections and answers nothing.
    RedisFrozen,
    SubscribersKilled,
    /// A node's connections to Redis stay open and carry nothing; new ones work.
    HalfOpen,
    NodeKilled,
    NodeFrozen,
    /// Each node in turn is shut down gracefully and started again.
    RollingRestart,
    MongoFrozen,
    S3Frozen,
    /// The standalone node runs on a new database until the old one is put back.
    DatabaseMovedAway,
    /// A backup of the standalone node's database is made, and put back later.
    BackupRestored,
}

/// The kinds that affect the same: only one of them happens at a time.
pub const LANES: [&[Kind]; 4] = [
    &[
        Kind::RedisKilled,
        Kind::RedisFrozen,
        Kind::SubscribersKilled,
        Kind::HalfOpen,
    ],
    &[Kind::NodeKilled, Kind::NodeFrozen, Kind::RollingRestart],
    &[Kind::MongoFrozen, Kind::S3Frozen],
    &[Kind::DatabaseMovedAway, Kind::BackupRestored],
];

impl Kind {
    /// Name, after how many seconds it is repaired, and in how many everything recovers by itself then.
    const fn properties(self) -> (&'static str, RangeInclusive<u64>, u64) {
        match self {
            Self::RedisKilled => ("Redis killed", 2..=8, 0),
            Self::RedisFrozen => ("Redis frozen", 15..=15, 0),
            Self::SubscribersKilled => ("CLIENT KILL TYPE pubsub", 0..=0, 2),
            // It has to be noticed first.
            Self::HalfOpen => ("connections to Redis half-open", 0..=0, 12),
            Self::NodeKilled => ("node killed", 1..=5, 0),
            Self::NodeFrozen => ("node frozen", 3..=10, 0),
            Self::RollingRestart => ("rolling restart", 0..=0, 14),
            Self::MongoFrozen => ("MongoDB frozen", 2..=8, 0),
            Self::S3Frozen => ("S3 frozen", 4..=8, 0),
            Self::DatabaseMovedAway => ("database moved away", 2..=5, 4),
            // Users write in between.
            Self::BackupRestored => ("backup restored", 4..=8, 4),
        }
    }

    /// After how many seconds it is repaired. Zero: the nodes have to recover by themselves.
    pub const fn seconds(self) -> RangeInclusive<u64> {
        self.properties().1
    }

    /// How long everything takes to recover after the repair.
    pub const fn recovery(self) -> Duration {
        Duration::from_secs(self.properties().2)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.properties().0)
    }
}
