//! The broker of the node.

use std::sync::{Arc, OnceLock};

use app::model::UploadId;
use async_trait::async_trait;
use serde_json::Value;
use server::broker::{Broker, BrokerError, Deliver, Frame};

/// The random number of the node that has published this, and how many viewers it has.
pub fn node_and_count(frame: &Frame) -> Option<(u64, u32)> {
    let digest: Value = serde_json::from_str(&frame.text).ok()?;
    let count = u32::try_from(digest["count"].as_u64()?).ok()?;
    Some((digest["node"].as_u64()?, count))
}

/// A broker that others can publish with, and that drops what the node publishes.
#[derive(Default)]
pub struct Bus {
    /// The node.
    pub receiver: OnceLock<Arc<dyn Deliver>>,
    /// The node's random number.
    pub own_number: OnceLock<u64>,
}

#[async_trait]
impl Broker for Bus {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        assert!(self.receiver.set(receiver).is_ok(), "a hub attaches once");
    }

    async fn publish(&self, _topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        if let Some((node, _)) = node_and_count(&frame) {
            _ = self.own_number.set(node);
        }
        Ok(())
    }

    async fn subscribe(&self, _topic: UploadId) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn unsubscribe(&self, _topic: UploadId) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        Ok(())
    }
}
