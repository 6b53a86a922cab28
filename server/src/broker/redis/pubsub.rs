//! The commands of Pub/Sub. A cluster has its own, which reach only the servers of the channel's slot.

use redis::PushKind;

/// The set of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PubSubCommands {
    /// One server.
    Plain,
    /// A cluster: sharded Pub/Sub (Redis 7).
    Sharded,
}

impl PubSubCommands {
    pub fn publish(self) -> &'static str {
        match self {
            Self::Plain => "PUBLISH",
            Self::Sharded => "SPUBLISH",
        }
    }

    pub fn subscribe(self) -> &'static str {
        match self {
            Self::Plain => "SUBSCRIBE",
            Self::Sharded => "SSUBSCRIBE",
        }
    }

    pub fn unsubscribe(self) -> &'static str {
        match self {
            Self::Plain => "UNSUBSCRIBE",
            Self::Sharded => "SUNSUBSCRIBE",
        }
    }

    /// The confirmation of a subscription.
    pub fn subscribed(self) -> PushKind {
        match self {
            Self::Plain => PushKind::Subscribe,
            Self::Sharded => PushKind::SSubscribe,
        }
    }

    /// The confirmation that a subscription has ended.
    pub fn unsubscribed(self) -> PushKind {
        match self {
            Self::Plain => PushKind::Unsubscribe,
            Self::Sharded => PushKind::SUnsubscribe,
        }
    }
}
