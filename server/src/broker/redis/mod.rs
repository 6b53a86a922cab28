//! The broker for several nodes: Redis Pub/Sub. A topic's channel is `upload:{id}`. A node has two connections to a
//! server: it is subscribed by one, to exactly the topics that its sockets watch, and publishes by the other.
//!
//! - `url`: parses `REDIS_URL`; `server`: makes a connection
//! - `link`: the two connections to a server, which are replaced whenever they fail; `link_factory` starts it
//! - `channels`: the topics that the node wants, and those that the server has confirmed
//! - `subscriber`, `publisher`: one connection each; `pubsub`: their commands
//! - `heartbeat`: detects a broken subscription; `outage`: reports it to the node
//! - `counts`: counters that nodes share, on the connections for publishing
//! - `routes`, `cluster`, `slots`, `majority`: a link to each master of a cluster, and its slots
//!
//! The driver's own resubscription is not used, because it hides errors and stops retrying.

mod backoff;
mod channels;
mod cluster;
mod counts;
mod error;
mod heartbeat;
mod link;
mod link_factory;
mod majority;
mod outage;
pub mod payload;
mod publisher;
mod pubsub;
mod reason;
mod routes;
mod server;
mod slots;
mod subscriber;
pub mod url;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use app::model::UploadId;
use async_trait::async_trait;
use prometheus_client::registry::Registry;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use error::OpenError;
pub use reason::Reason;
pub use server::Dial;

use self::channels::Confirmation;
use self::cluster::Cluster;
use self::link_factory::LinkFactory;
use self::payload::{Payload, channel_of};
use self::routes::Routes;
use self::server::{RESPONSE_TIMEOUT, Server};
use self::url::Target;
use super::{Broker, BrokerError, Deliver, Frame};
use crate::broker::metrics::BrokerMetrics;

/// A node's broker in Redis. Its connections are closed when it is dropped.
pub struct RedisBroker {
    routes: Arc<Routes>,
    links: Arc<LinkFactory>,
    _stop: DropGuard,
}

impl RedisBroker {
    /// Connects to what `REDIS_URL` names, and waits for the first heartbeat. Later, lost connections are replaced
    /// without a limit on attempts.
    ///
    /// The user needs the channels `upload:*` and the commands `subscribe`, `unsubscribe` and `publish`; with a cluster
    /// `ssubscribe`, `sunsubscribe`, `spublish` and `cluster|slots`; with sentinels `role`. With `client|info` and
    /// `client|kill` too, no frame arrives out of order after a connection has hung. Counting needs the keys `rate:*`
    /// and the commands `multi`, `set`, `incr` and `exec`.
    ///
    /// `stopping`, the node's, is cancelled if one of the broker's tasks panics.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(
        url: &str,
        metrics: BrokerMetrics,
        stopping: CancellationToken,
    ) -> Result<Self, OpenError> {
        // Fails if the process has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = url::parse(url)?;
        let links = Arc::new(LinkFactory::new(metrics, stopping));
        let stop = links.stop.clone().drop_guard();
        let routes = match target {
            Target::Server(info) => open_one(Server::Fixed(info), &links).await?,
            Target::Sentinel {
                sentinels,
                name,
                login,
            } => {
                let master = Server::Master {
                    sentinels,
                    name,
                    login,
                };
                open_one(master, &links).await?
            }
            Target::Cluster(seeds) => {
                let cluster = Cluster::new(seeds, Arc::clone(&links));
                let routes = Arc::new(cluster.open().await?);
                let updated = Arc::clone(&routes);
                links.spawn(async move { cluster.run(&updated).await });
                routes
            }
        };
        Ok(Self::start(routes, links, stop))
    }

    /// Starts with a simulated server, for `tools/simulation`, and does not wait until it is connected. `stopping` is
    /// cancelled if one of the broker's tasks panics. Its metrics are registered nowhere.
    pub fn in_memory(server: Arc<dyn Dial>, stopping: CancellationToken) -> Self {
        let metrics = BrokerMetrics::registered(&mut Registry::default());
        let links = Arc::new(LinkFactory::new(metrics, stopping));
        let stop = links.stop.clone().drop_guard();
        let link = links.create(Server::InMemory(server), None);
        let route = links.start(link, None, None);
        Self::start(Arc::new(Routes::new(vec![route])), links, stop)
    }

    fn start(routes: Arc<Routes>, links: Arc<LinkFactory>, stop: DropGuard) -> Self {
        let outage = Arc::clone(&links.outage);
        links.spawn(async move { outage.run().await });
        links.tasks.close();
        Self {
            routes,
            links,
            _stop: stop,
        }
    }

    /// Closes the connections, and waits until they are closed.
    pub async fn close(&self) {
        self.links.stop.cancel();
        self.links.tasks.wait().await;
    }
}

async fn open_one(server: Server, links: &LinkFactory) -> Result<Arc<Routes>, OpenError> {
    let link = links.create(server.clone(), None);
    let opened = link.open().await;
    let connection = opened.map_err(|reason| OpenError::new(&server, reason))?;
    let route = links.start(link, None, Some(connection));
    Ok(Arc::new(Routes::new(vec![route])))
}

#[async_trait]
impl Broker for RedisBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        self.links.outage.attach(receiver);
    }

    async fn publish(&self, topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        let link = self.routes.link(topic);
        let published = link.publish(&channel_of(topic), Payload(&frame)).await;
        published.map_err(BrokerError::unavailable)
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        let confirmation = self.routes.subscribe(topic)?;
        let guard = CancelOnDrop(&self.routes, topic);
        if let Err(reason) = wait_for(confirmation).await
            && !guard.0.cancel(topic)
        {
            return Err(BrokerError::unavailable(reason));
        }
        Ok(())
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        match wait_for(self.routes.unsubscribe(topic)).await {
            // The subscription ended with its connection.
            Ok(()) | Err(Reason::Closed) => Ok(()),
            Err(reason) => Err(BrokerError::unavailable(reason)),
        }
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        let are_healthy = self.routes.are_healthy();
        are_healthy.then_some(()).ok_or(BrokerError::UNAVAILABLE)
    }
}

async fn wait_for(confirmation: Confirmation) -> Result<(), Reason> {
    let Some(confirmation) = confirmation else {
        return Ok(());
    };
    let confirmed = timeout(RESPONSE_TIMEOUT, confirmation).await;
    // The sender is dropped when the connection is lost.
    confirmed
        .map_err(|_| Reason::Timeout)?
        .map_err(|_| Reason::Closed)
}

/// Cancels a subscription if the future that waits for it is dropped.
struct CancelOnDrop<'a>(&'a Routes, UploadId);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        // Does nothing if it was confirmed.
        self.0.cancel(self.1);
    }
}
