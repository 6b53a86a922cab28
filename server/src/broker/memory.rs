//! A broker within one process, for a standalone node and for several nodes in one test.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use app::model::UploadId;
use async_trait::async_trait;

use super::{Broker, BrokerError, Deliver, Frame};

/// The bus that the nodes share. It holds the topics that a node is subscribed to.
///
/// A topic's frames are delivered under that topic's lock: every node gets them in the same order, and none after it
/// has unsubscribed. [`Deliver::deliver`] must therefore not wait for the broker.
#[derive(Default)]
pub struct MemoryBus {
    topics: RwLock<HashMap<UploadId, Arc<Mutex<Subscribers>>>>,
    nodes: AtomicU64,
}

/// The nodes that are subscribed to a topic.
type Subscribers = Vec<Arc<Node>>;

/// A node on the bus.
struct Node {
    number: u64,
    receiver: OnceLock<Arc<dyn Deliver>>,
}

/// A node's connection to a [`MemoryBus`]. Its subscriptions end when it is dropped.
pub struct MemoryBroker {
    bus: Arc<MemoryBus>,
    node: Arc<Node>,
}

impl MemoryBroker {
    /// Adds a node to the bus.
    pub fn new(bus: Arc<MemoryBus>) -> Self {
        let node = Arc::new(Node {
            number: bus.nodes.fetch_add(1, Ordering::Relaxed),
            receiver: OnceLock::new(),
        });
        Self { bus, node }
    }
}

impl MemoryBus {
    fn publish(&self, topic: UploadId, frame: &Frame) {
        let nodes = {
            let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
            topics.get(&topic).cloned()
        };
        // A topic that was removed meanwhile has no subscribers.
        if let Some(nodes) = nodes {
            for receiver in lock(&nodes).iter().filter_map(|node| node.receiver.get()) {
                receiver.deliver(topic, frame.clone());
            }
        }
    }

    fn subscribe(&self, topic: UploadId, node: &Arc<Node>) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let mut nodes = lock(topics.entry(topic).or_default());
        if !nodes.iter().any(|other| other.number == node.number) {
            nodes.push(Arc::clone(node));
        }
    }

    fn unsubscribe(&self, topic: UploadId, node: &Node) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics
            .get(&topic)
            .is_some_and(|nodes| remove_node(nodes, node))
        {
            topics.remove(&topic);
        }
    }

    fn remove_from_all(&self, node: &Node) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.retain(|_, nodes| !remove_node(nodes, node));
    }
}

/// Removes a node from the subscribers of a topic, and returns whether none is left.
fn remove_node(nodes: &Mutex<Subscribers>, node: &Node) -> bool {
    let mut nodes = lock(nodes);
    nodes.retain(|other| other.number != node.number);
    nodes.is_empty()
}

fn lock(nodes: &Mutex<Subscribers>) -> MutexGuard<'_, Subscribers> {
    nodes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for MemoryBroker {
    fn drop(&mut self) {
        self.bus.remove_from_all(&self.node);
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        let attached = self.node.receiver.set(receiver);
        debug_assert!(attached.is_ok(), "a receiver is attached once");
    }

    async fn publish(&self, topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        self.bus.publish(topic, &frame);
        Ok(())
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.bus.subscribe(topic, &self.node);
        Ok(())
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.bus.unsubscribe(topic, &self.node);
        Ok(())
    }

    fn is_external(&self) -> bool {
        false
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::conformance::{Inbox, broker_suite, some_frame, some_topic};

    fn nodes() -> ([Arc<dyn Broker>; 2], ()) {
        let bus = Arc::new(MemoryBus::default());
        let node = || -> Arc<dyn Broker> { Arc::new(MemoryBroker::new(Arc::clone(&bus))) };
        ([node(), node()], ())
    }

    broker_suite!(async { nodes() });

    #[tokio::test]
    async fn frames_are_delivered_before_publish_returns() {
        let broker = MemoryBroker::new(Arc::default());
        let inbox = Inbox::attached(&broker);
        let (topic, frame) = (some_topic(), some_frame("now"));
        broker.subscribe(topic).await.unwrap();
        broker.publish(topic, frame.clone()).await.unwrap();
        assert_eq!(inbox.of(topic), [frame]);
    }

    #[tokio::test]
    async fn topics_without_subscribers_are_removed() {
        let bus = Arc::new(MemoryBus::default());
        let broker = MemoryBroker::new(Arc::clone(&bus));
        let other = MemoryBroker::new(Arc::clone(&bus));
        for _ in 0..100 {
            let topic = some_topic();
            broker.subscribe(topic).await.unwrap();
            other.subscribe(topic).await.unwrap();
            broker.publish(some_topic(), some_frame("")).await.unwrap();
            broker.unsubscribe(topic).await.unwrap();
        }
        assert_eq!(bus.topics.read().unwrap().len(), 100);
        drop(other);
        assert!(bus.topics.read().unwrap().is_empty());
    }
}
