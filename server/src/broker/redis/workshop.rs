//! Makes a node's links and has them work.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::canary::Canary;
use super::dialect::Dialect;
use super::link::{Link, Session};
use super::outage::{Line, Outage};
use super::payload::canary_channel;
use super::routes::Route;
use super::server::Server;
use super::slots::{Shard, slot_of};
use crate::broker::metrics::BrokerMetrics;

/// What all links of a node have in common.
pub struct Workshop {
    pub outage: Arc<Outage>,
    pub metrics: BrokerMetrics,
    /// Told by a link when something is wrong that may be its server's place in the cluster.
    pub trouble: Arc<Notify>,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
}

impl Workshop {
    pub fn new(metrics: BrokerMetrics) -> Self {
        Self {
            outage: Arc::new(Outage::new()),
            metrics,
            trouble: Arc::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// A link that does not work yet: to the only server, or to one of a cluster.
    pub fn link(&self, server: Server, shard: Option<&Shard>) -> Link {
        let dialect = if shard.is_some() {
            Dialect::Sharded
        } else {
            Dialect::Plain
        };
        let canary = Canary::new(canary_of(shard), self.metrics.clone());
        let line = Line::new(Arc::clone(&self.outage));
        Link::new(server, dialect, canary, line, Arc::clone(&self.trouble))
    }

    /// Has a link work until its route is dropped.
    pub fn route(&self, link: Link, shard: Option<Shard>, session: Option<Session>) -> Route {
        let link = Arc::new(link);
        let stop = self.stop.child_token();
        self.tasks.spawn({
            let (link, stop) = (Arc::clone(&link), stop.clone());
            async move { stop.run_until_cancelled(link.run(session)).await }
        });
        Route::new(link, shard, stop.drop_guard())
    }

    /// Has something work until the node leaves.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks
            .spawn(async move { stop.run_until_cancelled(work).await });
    }
}

/// In a cluster the canary has to sing where its server listens. One of 16,384 slots is found within microseconds.
fn canary_of(shard: Option<&Shard>) -> String {
    loop {
        let channel = canary_channel(rand::random());
        if shard.is_none_or(|shard| shard.contains(slot_of(&channel))) {
            return channel;
        }
    }
}
