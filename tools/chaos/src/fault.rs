//! The kinds of faults.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::ValueEnum;

/// How many of a hundred messages from Redis are dropped during [`Kind::FramesLost`].
pub const LOST_PERCENT: u8 = 5;

/// A kind of fault, in the order from which the schedule is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Kind {
    RedisKilled,
    /// Redis accepts connections and answers nothing.
    RedisFrozen,
    SubscribersKilled,
    /// Some pushed messages are dropped, without an error anywhere.
    FramesLost,
    /// A node's connections to Redis stay open and carry nothing; new ones work.
    HalfOpen,
    ConnectionsCut,
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

/// What a fault affects: only one fault at a time affects the same target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    Redis,
    /// Between the nodes and Redis.
    Connections,
    Nodes,
    Mongo,
    S3,
    Standalone,
}

impl Kind {
    /// Name, target, after how many seconds it is repaired, and in how many the nodes recover by themselves if it is
    /// not.
    const fn properties(self) -> (&'static str, Target, RangeInclusive<u64>, u64) {
        use Target::{Connections, Mongo, Nodes, Redis, S3, Standalone};
        match self {
            Self::RedisKilled => ("Redis killed", Redis, 2..=8, 0),
            Self::RedisFrozen => ("Redis frozen", Redis, 15..=15, 0),
            Self::SubscribersKilled => ("CLIENT KILL TYPE pubsub", Redis, 0..=0, 2),
            Self::FramesLost => ("frames from Redis lost", Connections, 5..=10, 0),
            // It has to be noticed first.
            Self::HalfOpen => ("connections to Redis half-open", Connections, 0..=0, 12),
            Self::ConnectionsCut => ("connections to Redis cut", Connections, 0..=0, 2),
            Self::NodeKilled => ("node killed", Nodes, 1..=5, 0),
            Self::NodeFrozen => ("node frozen", Nodes, 3..=10, 0),
            Self::RollingRestart => ("rolling restart", Nodes, 0..=0, 14),
            Self::MongoFrozen => ("MongoDB frozen", Mongo, 2..=8, 0),
            Self::S3Frozen => ("S3 frozen", S3, 4..=8, 0),
            Self::DatabaseMovedAway => ("database moved away", Standalone, 2..=5, 0),
            // Users write in between.
            Self::BackupRestored => ("backup restored", Standalone, 4..=8, 0),
        }
    }

    pub const fn target(self) -> Target {
        self.properties().1
    }

    /// After how many seconds it is repaired. Zero: the nodes have to recover by themselves.
    pub const fn seconds(self) -> RangeInclusive<u64> {
        self.properties().2
    }

    /// How long no other fault affects the same target, when it is repaired after `duration`.
    pub fn occupies(self, duration: Duration) -> Duration {
        duration.max(Duration::from_secs(self.properties().3))
    }

    /// Whether one node is chosen for it.
    pub const fn affects_one_node(self) -> bool {
        matches!(
            self,
            Self::HalfOpen | Self::ConnectionsCut | Self::NodeKilled | Self::NodeFrozen
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.properties().0)
    }
}
