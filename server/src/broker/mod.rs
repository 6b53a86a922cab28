//! Between nodes: what one node publishes on a topic reaches every node that is subscribed to it, the publishing node
//! too. Every backend passes the suite in `conformance.rs`.

pub mod class_counter;
pub mod measured;
pub mod memory;
pub mod metrics;
pub mod redis;

#[cfg(test)]
pub(crate) mod conformance;

use std::sync::Arc;

use app::model::UploadId;
use async_trait::async_trait;
use axum::extract::ws::Utf8Bytes;
use thiserror::Error;

/// A topic is an upload; its channel between nodes is `upload:{id}`.
pub type Topic = UploadId;

/// How a frame is treated under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryClass {
    /// Never dropped silently: a socket that cannot take it is closed and resyncs.
    Message,
    /// At most once: the oldest are dropped first.
    Touch,
}

/// The exact text frame that every socket of the topic gets, and its class. A clone shares the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// How it is treated under load.
    pub class: DeliveryClass,
    /// The encoded `ServerEvent`.
    pub text: Utf8Bytes,
}

/// Why the broker did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BrokerError {
    /// The backend is away.
    #[error("the broker is away")]
    Unavailable,
}

/// Takes what arrives for this node, in the order of arrival per topic. It must not block, nor wait for the broker.
pub trait Deliver: Send + Sync + 'static {
    /// A frame arrived on a topic that this node is subscribed to.
    fn deliver(&self, topic: Topic, frame: Frame);

    /// Something arrived that is no frame at all, for the reason given.
    fn refused(&self, _why: &'static str) {}

    /// The subscription is lost, and was not repaired within a moment: until `repaired`, frames may be missing on every
    /// topic. Each call is followed by one of `repaired` before the next.
    fn interrupted(&self);

    /// Every topic is subscribed again and frames flow: what was published since the loss, told by `interrupted` or too
    /// short for that, may have been missed.
    fn repaired(&self);
}

/// Carries frames between nodes.
///
/// Guarantees of every backend:
/// - `publish` may lose a frame, but never delivers one twice to a subscription, and keeps the order of one node's
///   frames on one topic.
/// - After `subscribe` has answered `Ok`, every frame published from then on is sent to this node; after
///   `unsubscribe` has answered, none is.
/// - A node that is not subscribed to a topic gets nothing of it.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Sets who takes the frames for this node; called once, before any `subscribe`.
    fn attach(&self, receiver: Arc<dyn Deliver>);

    /// Sends a frame to every subscribed node. Frames are sent in the order in which these calls are first polled.
    async fn publish(&self, topic: Topic, frame: Frame) -> Result<(), BrokerError>;

    /// Subscribes this node to the topic; idempotent.
    async fn subscribe(&self, topic: Topic) -> Result<(), BrokerError>;

    /// Ends the subscription; idempotent.
    async fn unsubscribe(&self, topic: Topic) -> Result<(), BrokerError>;

    /// Whether others than this process can publish: then every frame is read before it is passed on.
    fn is_open(&self) -> bool {
        true
    }

    /// Whether frames flow: the subscription is proven.
    async fn ping(&self) -> Result<(), BrokerError>;
}
