//! Which heads a process has to know: those that the logs had when it was subscribed, or its subscriptions worked again.

use std::sync::{Arc, Mutex};

use app::model::{Seq, UploadId};
use server::store::memory::MemoryStore;

use crate::broker::Bus;
use crate::clock::NodeClock;
use crate::node::ProcessId;
use crate::world::{Node, lock};

/// Records, for the checks, which heads a process has to know.
#[derive(Clone)]
pub struct HeadRecorder {
    pub process: ProcessId,
    pub bus: Arc<Mutex<Bus>>,
    pub data: Arc<MemoryStore>,
    pub clock: NodeClock,
}

impl HeadRecorder {
    /// The process is subscribed.
    pub fn subscribed(&self, topic: UploadId) {
        let head = self.head(topic);
        let topic = (topic, self.process);
        lock(&self.bus).subscribed.insert(topic, head);
    }

    /// It is not subscribed any more.
    pub fn unsubscribed(&self, topic: UploadId) {
        lock(&self.bus).subscribed.remove(&(topic, self.process));
    }

    /// All its subscriptions work again.
    pub fn repaired(&self) {
        let mut bus = lock(&self.bus);
        let topics = bus.subscribed.keys().copied();
        let topics = topics.filter(|(_, process)| *process == self.process);
        let heads: Vec<_> = topics.map(|key| (key, self.head(key.0))).collect();
        bus.repaired.extend(heads);
    }

    fn head(&self, topic: UploadId) -> Seq {
        let page = self.data.inspect(topic, 0);
        page.map(|page| page.head).unwrap_or_default()
    }
}

/// The head that a node knows at least.
pub fn known_head(node: &Node, bus: &Mutex<Bus>, topic: UploadId) -> Seq {
    let told = node.heads.get(&topic).copied().unwrap_or_default();
    let process = node.process.as_ref().map(|process| process.id);
    let repaired = process.and_then(|process| lock(bus).repaired.get(&(topic, process)).copied());
    told.max(repaired.unwrap_or_default())
}
