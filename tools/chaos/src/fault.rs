//! The ways in which things go wrong.

use std::fmt;
use std::time::Duration;

/// How many of a hundred messages are lost on the way from Redis while frames are being lost.
pub const LOST_PERCENT: u8 = 5;
/// How long a half-open connection may go unnoticed, and its resubscription take.
const HALF_OPEN: Duration = Duration::from_secs(12);
/// Three nodes that stop and start, one after the other.
const ROLLING_RESTART: Duration = Duration::from_secs(14);
/// Until what was cut has been made again.
const CUT: Duration = Duration::from_secs(2);

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Redis is killed, and started again later.
    RedisKilled,
    /// Redis takes connections and answers nothing.
    RedisFrozen,
    /// Redis closes the connections of all its subscribers.
    SubscribersKilled,
    /// Of what Redis pushes some messages are lost, and nothing tells of it.
    FramesLost,
    /// The connections of a node to Redis stay open and carry nothing any more; new ones are fine.
    HalfOpen,
    /// The connections of a node to Redis are cut.
    ConnectionsCut,
    /// A node is killed, and started again later.
    NodeKilled,
    /// A node takes connections and answers nothing.
    NodeFrozen,
    /// One node after the other stops in an orderly way and is started again.
    RollingRestart,
    /// MongoDB takes connections and answers nothing.
    MongoFrozen,
    /// S3 takes connections and answers nothing.
    S3Frozen,
    /// The database of the node that stands alone is moved away, the node makes a new one, and the old one is put back.
    DatabaseMovedAway,
}

/// What a fault concerns: one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The Redis server.
    Redis,
    /// What lies between the nodes and Redis.
    Wire,
    /// The nodes.
    Nodes,
    /// The MongoDB server.
    Mongo,
    /// The S3 server.
    S3,
    /// The node that stands alone.
    Lone,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::RedisKilled,
        Self::RedisFrozen,
        Self::SubscribersKilled,
        Self::FramesLost,
        Self::HalfOpen,
        Self::ConnectionsCut,
        Self::NodeKilled,
        Self::NodeFrozen,
        Self::RollingRestart,
        Self::MongoFrozen,
        Self::S3Frozen,
        Self::DatabaseMovedAway,
    ];

    /// What it concerns.
    pub const fn target(self) -> Target {
        match self {
            Self::RedisKilled | Self::RedisFrozen | Self::SubscribersKilled => Target::Redis,
            Self::FramesLost | Self::HalfOpen | Self::ConnectionsCut => Target::Wire,
            Self::NodeKilled | Self::NodeFrozen | Self::RollingRestart => Target::Nodes,
            Self::MongoFrozen => Target::Mongo,
            Self::S3Frozen => Target::S3,
            Self::DatabaseMovedAway => Target::Lone,
        }
    }

    /// Whether it concerns one of the nodes.
    pub const fn concerns_a_node(self) -> bool {
        matches!(
            self,
            Self::HalfOpen | Self::ConnectionsCut | Self::NodeKilled | Self::NodeFrozen
        )
    }

    /// How long until it is repaired, at least and at most. Zero: the nodes have to help themselves.
    pub const fn lasts(self) -> (Duration, Duration) {
        let (shortest, longest) = match self {
            Self::RedisKilled | Self::MongoFrozen => (2_000, 8_000),
            Self::RedisFrozen => (15_000, 15_000),
            Self::SubscribersKilled
            | Self::HalfOpen
            | Self::ConnectionsCut
            | Self::RollingRestart => (0, 0),
            Self::FramesLost => (5_000, 10_000),
            Self::NodeKilled => (1_000, 5_000),
            Self::NodeFrozen => (3_000, 10_000),
            Self::S3Frozen => (4_000, 8_000),
            Self::DatabaseMovedAway => (2_000, 5_000),
        };
        (
            Duration::from_millis(shortest),
            Duration::from_millis(longest),
        )
    }

    /// How long no other fault concerns the same thing.
    pub const fn occupies(self, lasts: Duration) -> Duration {
        match self {
            Self::HalfOpen => HALF_OPEN,
            Self::RollingRestart => ROLLING_RESTART,
            Self::SubscribersKilled | Self::ConnectionsCut => CUT,
            _ => lasts,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::RedisKilled => "Redis killed",
            Self::RedisFrozen => "Redis frozen",
            Self::SubscribersKilled => "CLIENT KILL TYPE pubsub",
            Self::FramesLost => "5 % of the frames from Redis lost",
            Self::HalfOpen => "connections to Redis half-open",
            Self::ConnectionsCut => "connections to Redis cut",
            Self::NodeKilled => "node killed",
            Self::NodeFrozen => "node frozen",
            Self::RollingRestart => "rolling restart",
            Self::MongoFrozen => "MongoDB frozen",
            Self::S3Frozen => "S3 frozen",
            Self::DatabaseMovedAway => "database moved away and put back",
        })
    }
}
