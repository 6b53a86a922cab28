//! A broker around another one that tells what passes through it and whether frames flow.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Broker, BrokerError, Deliver, Frame, Topic};
use crate::metrics::BrokerMetrics;

/// See the module.
pub struct MeasuredBroker {
    broker: Arc<dyn Broker>,
    metrics: BrokerMetrics,
}

impl MeasuredBroker {
    /// Measures this broker.
    pub fn new(broker: Arc<dyn Broker>, metrics: BrokerMetrics) -> Self {
        Self { broker, metrics }
    }
}

#[async_trait]
impl Broker for MeasuredBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        self.metrics.attached();
        let metrics = self.metrics.clone();
        self.broker.attach(Arc::new(Received { receiver, metrics }));
    }

    async fn publish(&self, topic: Topic, frame: Frame) -> Result<(), BrokerError> {
        let class = frame.class;
        let call = self.broker.publish(topic, frame);
        let published = self.metrics.calls.measure("publish", call).await;
        published.inspect_err(|_| self.metrics.not_published(class))
    }

    async fn subscribe(&self, topic: Topic) -> Result<(), BrokerError> {
        let call = self.broker.subscribe(topic);
        self.metrics.calls.measure("subscribe", call).await
    }

    async fn unsubscribe(&self, topic: Topic) -> Result<(), BrokerError> {
        let call = self.broker.unsubscribe(topic);
        self.metrics.calls.measure("unsubscribe", call).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.metrics.calls.measure("ping", self.broker.ping()).await
    }
}

struct Received {
    receiver: Arc<dyn Deliver>,
    metrics: BrokerMetrics,
}

impl Deliver for Received {
    fn deliver(&self, topic: Topic, frame: Frame) {
        self.metrics.received(frame.class);
        self.receiver.deliver(topic, frame);
    }

    fn interrupted(&self) {
        self.metrics.interrupted();
        self.receiver.interrupted();
    }

    fn repaired(&self) {
        self.metrics.repaired();
        self.receiver.repaired();
    }
}
