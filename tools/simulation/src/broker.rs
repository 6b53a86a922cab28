//! The broker as one node sees it. What is published waits on the bus until the world delivers it, late or never.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use app::model::UploadId;
use async_trait::async_trait;
use server::broker::{Broker, BrokerError, Deliver, Frame};
use tokio::sync::Notify;

use crate::clock::NodeClock;
use crate::links::{BrokerLink, Links, pause};
use crate::node::ProcessId;

/// What all nodes share.
#[derive(Default)]
pub struct Bus {
    pub subscribed: BTreeSet<(UploadId, ProcessId)>,
    /// Published, but not on its way yet.
    pub published: Vec<Published>,
}

/// A frame that a node has published.
pub struct Published {
    pub by: ProcessId,
    pub topic: UploadId,
    pub frame: Frame,
}

/// A node's connection to the bus.
pub struct NodeBroker {
    pub process: ProcessId,
    pub bus: Arc<Mutex<Bus>>,
    pub links: Links,
    pub clock: NodeClock,
    pub receiver: OnceLock<Arc<dyn Deliver>>,
    /// Notified when something was published.
    pub activity: Arc<Notify>,
}

impl NodeBroker {
    fn bus(&self) -> MutexGuard<'_, Bus> {
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn round_trip(&self) -> Result<(), BrokerError> {
        match self.links.broker() {
            BrokerLink::Fine => pause(1..4).await,
            BrokerLink::Unreliable => pause(1..900).await,
            BrokerLink::Cut => {
                pause(100..3_000).await;
                return Err(BrokerError::UNAVAILABLE);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Broker for NodeBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        assert!(self.receiver.set(receiver).is_ok(), "attached once");
    }

    async fn publish(&self, topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        if self.links.broker() != BrokerLink::Cut {
            let by = self.process;
            self.bus().published.push(Published { by, topic, frame });
            self.activity.notify_one();
        }
        self.round_trip().await
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.clock.trace("broker subscribe");
        self.round_trip().await?;
        self.bus().subscribed.insert((topic, self.process));
        Ok(())
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.clock.trace("broker unsubscribe");
        self.bus().subscribed.remove(&(topic, self.process));
        self.round_trip().await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.round_trip().await
    }
}
