//! The real broker of a node, and what the checks have to know of it.

use std::sync::Arc;

use app::model::UploadId;
use async_trait::async_trait;
use server::broker::redis::RedisBroker;
use server::broker::{Broker, BrokerError, Deliver, Frame};

use crate::heads::HeadRecorder;

/// A node's connections to Redis.
pub struct RedisNodeBroker {
    pub redis: RedisBroker,
    pub heads: HeadRecorder,
}

#[async_trait]
impl Broker for RedisNodeBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        let heads = self.heads.clone();
        self.redis.attach(Arc::new(Observed { receiver, heads }));
    }

    async fn publish(&self, topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        let clock = &self.heads.clock;
        clock.trace(format_args!("publishes {}", frame.text));
        self.redis.publish(topic, frame).await
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.heads.clock.trace(format_args!("subscribes {topic}"));
        self.redis.subscribe(topic).await?;
        self.heads.subscribed(topic);
        Ok(())
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.heads.clock.trace(format_args!("unsubscribes {topic}"));
        self.heads.unsubscribed(topic);
        self.redis.unsubscribe(topic).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.redis.ping().await
    }
}

/// What a node receives.
struct Observed {
    receiver: Arc<dyn Deliver>,
    heads: HeadRecorder,
}

impl Deliver for Observed {
    fn deliver(&self, topic: UploadId, frame: Frame) {
        self.heads.clock.trace(format_args!("gets {}", frame.text));
        self.receiver.deliver(topic, frame);
    }

    fn refused(&self, reason: &'static str) {
        self.receiver.refused(reason);
    }

    fn interrupted(&self) {
        self.heads.clock.trace("is interrupted");
        self.receiver.interrupted();
    }

    fn repaired(&self) {
        self.heads.clock.trace("is repaired");
        self.heads.repaired();
        self.receiver.repaired();
    }
}
