//! Carries frames between nodes: what a node publishes on a topic reaches every node that is subscribed to it,
//! including the publishing node. Each upload has one topic, which its id names. Every backend passes the suite in
//! `conformance.rs`.

pub mod class_counter;
pub mod measured;
pub mod memory;
pub mod metrics;
pub mod redis;

#[cfg(test)]
pub(crate) mod conformance;

use std::error::Error;
use std::sync::Arc;

use app::model::UploadId;
use async_trait::async_trait;
use axum::extract::ws::Utf8Bytes;
use thiserror::Error;

/// How a frame is treated under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryClass {
    /// Never dropped silently: a socket that cannot be sent it is closed, and its client resyncs.
    Message,
    /// At most once: the oldest are dropped first.
    Touch,
    /// At most once, as touches. Between nodes it is not an event but what a node says about its viewers, which no
    /// socket gets.
    Presence,
}

impl DeliveryClass {
    /// Whether frames may be dropped.
    pub fn is_lossy(self) -> bool {
        self != Self::Message
    }
}

/// A text frame as every socket of the topic gets it, except for [`DeliveryClass::Presence`], and its class. Clones
/// share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// How it is treated under load.
    pub class: DeliveryClass,
    /// The encoded `ServerEvent`.
    pub text: Utf8Bytes,
}

/// Why a call of the broker failed.
#[derive(Debug, Clone, Error)]
pub enum BrokerError {
    /// The backend refused the call, did not answer in time or cannot be reached. The source, if there is one, says
    /// which; it contains no credentials.
    #[error("the broker is unavailable")]
    Unavailable(#[source] Option<Arc<dyn Error + Send + Sync>>),
}

impl BrokerError {
    /// [`BrokerError::Unavailable`] without a source.
    pub const UNAVAILABLE: Self = Self::Unavailable(None);

    /// [`BrokerError::Unavailable`] with a source.
    pub fn unavailable(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Some(Arc::new(source)))
    }
}

/// Receives what the broker delivers to this node. The methods must neither block nor wait for the broker; they cannot
/// fail.
pub trait Deliver: Send + Sync + 'static {
    /// Receives a frame on a topic that this node is subscribed to. The frames of a topic come in the order of their
    /// arrival.
    fn deliver(&self, topic: UploadId, frame: Frame);

    /// Reports a payload that is not a frame, with the reason. It is not delivered.
    fn refused(&self, _reason: &'static str) {}

    /// Reports that the subscription is lost and was not repaired at once. Frames may be missing on every topic until
    /// [`Deliver::repaired`], which is called before this is called again.
    fn interrupted(&self);

    /// Reports that every topic is subscribed again. Frames that were published since the loss may have been missed. A
    /// short loss is reported by this call alone.
    fn repaired(&self);
}

/// Carries frames between nodes.
///
/// A frame may be lost, also after `publish` has returned `Ok`: a lost connection is reported by [`Deliver`], and the
/// sequence numbers of messages show the rest. No frame is delivered twice to a subscription, and a node's frames on
/// one topic keep their order. A node gets no frames of topics that it is not subscribed to.
///
/// The methods that call the backend return within a few seconds. A future may be dropped; the call is undecided then,
/// as after an error, except where a method says otherwise.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Sets the receiver of this node's frames. Has to be called once, before any `subscribe`.
    fn attach(&self, receiver: Arc<dyn Deliver>);

    /// Sends a frame to every subscribed node. `Ok` means that the backend has accepted it. Frames are sent in the
    /// order in which the futures are first polled.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]. The frame may have been delivered to all, some or none of the nodes. Publishing it
    /// again could deliver it twice.
    async fn publish(&self, topic: UploadId, frame: Frame) -> Result<(), BrokerError>;

    /// Subscribes this node to the topic; idempotent. `Ok` means that the backend has confirmed it: every frame that is
    /// published from then on is sent to this node, and the subscription is restored whenever the connection is lost.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]. The node is not subscribed then, and gets no frames of the topic; the same holds
    /// if the future is dropped. A subscription that was confirmed earlier is kept.
    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError>;

    /// Ends the subscription; idempotent. No frame of the topic is delivered after this has returned, whatever the
    /// result. `Ok` means that the backend has confirmed it, or that the connection is lost and the subscription with
    /// it.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]. The backend may still send frames of the topic, which are dropped; the
    /// subscription is not restored.
    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError>;

    /// Whether other processes can publish too, so that every frame has to be checked.
    fn is_external(&self) -> bool {
        true
    }

    /// Checks the subscription. `Ok` means that it works: frames that are published come back to this node.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`] while the subscription is lost.
    async fn ping(&self) -> Result<(), BrokerError>;
}
