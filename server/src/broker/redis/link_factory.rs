//! Creates a node's links and runs them.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::heartbeat::Heartbeat;
use super::link::{Link, SubscriberConnection};
use super::outage::{LinkHealth, OutageMonitor};
use super::payload::heartbeat_channel;
use super::pubsub::PubSubCommands;
use super::routes::Route;
use super::server::Server;
use super::slots::{Shard, slot_of};
use crate::broker::metrics::BrokerMetrics;
use crate::panics::stop_on_panic;
use crate::random;

/// Creates the links of a node, with the parts that they share.
pub struct LinkFactory {
    pub outage: Arc<OutageMonitor>,
    pub metrics: BrokerMetrics,
    /// Notified by a link after errors that may be caused by moved slots.
    pub recheck_slots: Arc<Notify>,
    pub tasks: TaskTracker,
    /// Ends the links.
    pub stop: CancellationToken,
    /// The node's: cancelled if a task panics.
    node_stopping: CancellationToken,
}

impl LinkFactory {
    pub fn new(metrics: BrokerMetrics, node_stopping: CancellationToken) -> Self {
        Self {
            outage: Arc::new(OutageMonitor::new()),
            metrics,
            recheck_slots: Arc::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            node_stopping,
        }
    }

    /// Creates a link that does not run yet, to a single server or to a master of a cluster.
    pub fn create(&self, server: Server, shard: Option<&Shard>) -> Link {
        let commands = if shard.is_some() {
            PubSubCommands::Sharded
        } else {
            PubSubCommands::Plain
        };
        let heartbeat = Heartbeat::new(heartbeat_channel_for(shard), self.metrics.clone());
        let health = LinkHealth::new(Arc::clone(&self.outage));
        Link::new(
            server,
            commands,
            heartbeat,
            health,
            Arc::clone(&self.recheck_slots),
        )
    }

    /// Runs a link until its route is dropped.
    pub fn start(
        &self,
        link: Link,
        shard: Option<Shard>,
        connection: Option<SubscriberConnection>,
    ) -> Route {
        let link = Arc::new(link);
        let stop = self.stop.child_token();
        self.tasks.spawn({
            let (link, stop) = (Arc::clone(&link), stop.clone());
            let running = async move { link.run(connection).await };
            let running = stop_on_panic(self.node_stopping.clone(), running);
            async move { stop.run_until_cancelled(Box::pin(running)).await }
        });
        Route::new(link, shard, stop.drop_guard())
    }

    /// Spawns a task that is cancelled when the broker is closed.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        let work = stop_on_panic(self.node_stopping.clone(), work);
        self.tasks
            .spawn(async move { stop.run_until_cancelled(work).await });
    }
}

/// Returns a heartbeat channel that belongs to the shard. Even one of 16,384 slots is found within microseconds.
fn heartbeat_channel_for(shard: Option<&Shard>) -> String {
    loop {
        let channel = heartbeat_channel(random::random());
        if shard.is_none_or(|shard| shard.contains(slot_of(&channel))) {
            return channel;
        }
    }
}
