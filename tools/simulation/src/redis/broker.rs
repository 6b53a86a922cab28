//! The real broker of a node, and what the checks have to know of it.

use std::sync::Arc;

use app::model::UploadId;
use async_trait::async_trait;
use server::broker::redis::RedisBroker;
use server::broker::{Broker, BrokerError, Deliver, Frame};

use crate::known::Known;

/// A node's connections to Redis.
pub struct RedisNodeBroker {
    pub redis: RedisBroker,
    pub known: Known,
}

#[async_trait]
impl Broker for RedisNodeBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        let known = self.known.clone();
        self.redis.attach(Arc::new(Observed { receiver, known }));
    }

    async fn publish(&self, topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        let clock = &self.known.clock;
        clock.trace(format_args!("publishes {}", frame.text));
        self.redis.publish(topic, frame).await
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.known.clock.trace(format_args!("subscribes {topic}"));
        self.redis.subscribe(topic).await?;
        self.known.subscribed(topic);
        Ok(())
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.known.clock.trace(format_args!("unsubscribes {topic}"));
        self.known.unsubscribed(topic);
        self.redis.unsubscribe(topic).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.redis.ping().await
    }
}

/// What a node receives.
struct Observed {
    receiver: Arc<dyn Deliver>,
    known: Known,
}

impl Deliver for Observed {
    fn deliver(&self, topic: UploadId, frame: Frame) {
        self.known.clock.trace(format_args!("gets {}", frame.text));
        self.receiver.deliver(topic, frame);
    }

    fn refused(&self, reason: &'static str) {
        self.receiver.refused(reason);
    }

    fn interrupted(&self) {
        self.known.clock.trace("is interrupted");
        self.receiver.interrupted();
    }

    fn repaired(&self) {
        self.known.clock.trace("is repaired");
        self.known.repaired();
        self.receiver.repaired();
    }
}
