//! The broker as one node sees it, and what becomes of the frames. What is published waits on the bus until the world
//! delivers it, late or never.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use app::model::{Seq, UploadId};
use async_trait::async_trait;
use rand::RngExt;
use server::broker::{Broker, BrokerError, Deliver, Frame};
use server::random;
use tokio::sync::Notify;

use crate::event::Event;
use crate::heads::HeadRecorder;
use crate::links::{ANSWERED, ANSWERED_SLOWLY, BrokerLink, Links, REFUSED, chance, pause};
use crate::node::ProcessId;
use crate::world::{World, lock, node_name};

/// How long it takes until a change of the subscriptions is confirmed: they are changed in batches, one after the other.
const CONFIRMED: std::ops::Range<u64> = 1..150;

/// What all nodes share.
#[derive(Default)]
pub struct Bus {
    /// Which process is subscribed to what, with the head that the log had when it was.
    pub subscribed: BTreeMap<(UploadId, ProcessId), Seq>,
    /// The heads when all subscriptions of a process worked again, as far as it has noticed that itself.
    pub repaired: BTreeMap<(UploadId, ProcessId), Seq>,
    /// Published, but not on its way yet.
    pub published: Vec<Published>,
}

/// A frame that a node has published.
pub struct Published {
    pub node: usize,
    pub by: ProcessId,
    pub topic: UploadId,
    pub frame: Frame,
}

/// A node's connection to the bus.
pub struct NodeBroker {
    pub heads: HeadRecorder,
    pub links: Links,
    pub receiver: OnceLock<Arc<dyn Deliver>>,
    /// Notified when something was published.
    pub activity: Arc<Notify>,
}

impl NodeBroker {
    /// Waits until the broker has answered, which without faults takes so many milliseconds. An error does not mean
    /// that nothing was done: what was published is delivered all the same.
    async fn answer(&self, usually: std::ops::Range<u64>) -> Result<(), BrokerError> {
        match self.links.broker() {
            BrokerLink::Fine | BrokerLink::Lossy => pause(usually).await,
            BrokerLink::Unreliable => {
                pause(ANSWERED_SLOWLY).await;
                if chance(10) {
                    return Err(BrokerError::UNAVAILABLE);
                }
            }
            BrokerLink::Cut => {
                pause(REFUSED).await;
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
            let HeadRecorder {
                bus,
                clock,
                process,
                ..
            } = &self.heads;
            lock(bus).published.push(Published {
                node: clock.node,
                by: *process,
                topic,
                frame,
            });
            self.activity.notify_one();
        }
        self.answer(ANSWERED).await
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.heads.clock.trace(format_args!("subscribes {topic}"));
        self.answer(CONFIRMED).await?;
        self.heads.subscribed(topic);
        Ok(())
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.heads.clock.trace(format_args!("unsubscribes {topic}"));
        self.heads.unsubscribed(topic);
        self.answer(CONFIRMED).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.answer(ANSWERED).await
    }
}

impl World {
    /// Sends a published frame to all processes that are subscribed.
    pub fn send(&mut self, published: Published) {
        let Published {
            node,
            by,
            topic,
            frame,
        } = published;
        self.trace(node_name(node), format_args!("publishes {}", frame.text));
        let all = (topic, 0)..=(topic, ProcessId::MAX);
        let subscribed: Vec<_> = lock(&self.shared.bus)
            .subscribed
            .range(all)
            .map(|((_, to), _)| *to)
            .collect();
        for to in subscribed {
            let Some(node) = self.node_of(to) else {
                continue;
            };
            let is_unreliable = node.links.broker() == BrokerLink::Unreliable;
            let is_lossy = node.links.broker() == BrokerLink::Lossy;
            if is_unreliable && chance(15) || is_lossy && chance(50) {
                let name = node_name(node.number);
                self.trace(name, format_args!("misses {}", frame.text));
                continue;
            }
            let copies = 1 + usize::from(is_unreliable && chance(10));
            for _ in 0..copies {
                let arrival = if is_unreliable && chance(30) {
                    self.now + random::rng().random_range(1..3_000)
                } else {
                    let last = self.last_arrival.entry((by, to)).or_default();
                    *last = (*last).max(self.now + random::rng().random_range(1..4));
                    *last
                };
                let frame = frame.clone();
                self.at(arrival, Event::Deliver { to, topic, frame });
            }
        }
    }

    /// A frame arrives at a process.
    pub fn deliver(&mut self, to: ProcessId, topic: UploadId, frame: Frame) {
        let is_subscribed = lock(&self.shared.bus).subscribed.contains_key(&(topic, to));
        let Some(node) = self.node_of(to).filter(|_| is_subscribed) else {
            return;
        };
        let name = node_name(node.number);
        if node.links.broker() == BrokerLink::Cut {
            return self.trace(name, format_args!("misses {}", frame.text));
        }
        if node.frozen_since.is_some() {
            node.held.push(Event::Deliver { to, topic, frame });
            return;
        }
        self.trace(name, format_args!("gets {}", frame.text));
        if let Some(process) = self.node_of(to).and_then(|node| node.process.as_ref()) {
            process.deliver(topic, frame);
        }
    }
}
