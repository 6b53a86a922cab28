use std::sync::{Arc, OnceLock};

use app::model::UploadId;
use async_trait::async_trait;
use server::broker::{Broker, BrokerError, Deliver, Frame};

use super::Switch;

/// A broker whose failures are switched on and off.
pub(super) struct SwitchedBroker {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) switch: Switch,
    pub(super) receiver: Arc<OnceLock<Arc<dyn Deliver>>>,
}

#[async_trait]
impl Broker for SwitchedBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        assert!(self.receiver.set(receiver.clone()).is_ok());
        self.broker.attach(receiver);
    }

    async fn publish(&self, topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        self.switch.pass(BrokerError::UNAVAILABLE).await?;
        if self.switch.loses() {
            return Ok(());
        }
        self.broker.publish(topic, frame).await
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.switch.pass(BrokerError::UNAVAILABLE).await?;
        self.broker.subscribe(topic).await
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.switch.pass(BrokerError::UNAVAILABLE).await?;
        self.broker.unsubscribe(topic).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.switch.pass(BrokerError::UNAVAILABLE).await?;
        self.broker.ping().await
    }
}
