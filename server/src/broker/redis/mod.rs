//! The broker of many nodes: Redis Pub/Sub. A topic's channel is `upload:{id}`; a node is subscribed to exactly those
//! that its sockets watch, by one connection, and publishes by another.
//!
//! - `url`: what `REDIS_URL` may name; `server`: how a connection is made
//! - `link`: the two connections to a server and their supervision, which never gives up
//! - `channels`: what the node wants, and what the server has confirmed of it
//! - `subscriber`, `publisher`: one connection each
//! - `canary`: proves that frames flow; `outage`: tells the node when they do not
//! - `routes`, `cluster`, `votes`: a link to each master of a cluster, and the slots that it has
//!
//! The driver's own resubscription is not used: it hides its errors and gives up.

mod backoff;
mod canary;
mod channels;
mod cluster;
mod dialect;
mod error;
mod link;
mod outage;
mod payload;
mod publisher;
mod reason;
mod routes;
mod server;
mod slots;
mod subscriber;
mod url;
mod votes;
mod workshop;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_util::sync::DropGuard;

pub use error::OpenError;
pub use reason::Reason;

use self::channels::Confirmation;
use self::cluster::Cluster;
use self::payload::{Payload, channel_of};
use self::routes::Routes;
use self::server::{ANSWERS_WITHIN, Server};
use self::url::Target;
use self::workshop::Workshop;
use super::{Broker, BrokerError, Deliver, Frame, Topic};
use crate::broker::metrics::BrokerMetrics;

/// A node's end of Redis Pub/Sub. Its connections end when it is dropped.
pub struct RedisBroker {
    routes: Arc<Routes>,
    workshop: Arc<Workshop>,
    _stop: DropGuard,
}

impl RedisBroker {
    /// Connects to what `REDIS_URL` names, and proves that frames flow. From then on it never gives up.
    ///
    /// Its user needs the channels `upload:*` and the commands `subscribe`, `unsubscribe` and `publish`; with a cluster
    /// `ssubscribe`, `sunsubscribe`, `spublish` and `cluster|slots`; with sentinels `role`. With `client|info` and
    /// `client|kill` too no frame comes out of order after a connection hung.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &str, metrics: BrokerMetrics) -> Result<Self, OpenError> {
        // Fails where the process has one already: it is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = url::parse(url)?;
        let workshop = Arc::new(Workshop::new(metrics));
        let stop = workshop.stop.clone().drop_guard();
        let routes = match target {
            Target::Server(info) => open_one(Server::Fixed(info), &workshop).await?,
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
                open_one(master, &workshop).await?
            }
            Target::Cluster(seeds) => {
                let cluster = Cluster::new(seeds, Arc::clone(&workshop));
                let routes = Arc::new(cluster.open().await?);
                let of_cluster = Arc::clone(&routes);
                workshop.spawn(async move { cluster.run(&of_cluster).await });
                routes
            }
        };
        let outage = Arc::clone(&workshop.outage);
        workshop.spawn(async move { outage.run().await });
        workshop.tasks.close();
        Ok(Self {
            routes,
            workshop,
            _stop: stop,
        })
    }

    /// Ends its connections and waits until they have ended.
    pub async fn close(&self) {
        self.workshop.stop.cancel();
        self.workshop.tasks.wait().await;
    }
}

async fn open_one(server: Server, workshop: &Workshop) -> Result<Arc<Routes>, OpenError> {
    let link = workshop.link(server.clone(), None);
    let opened = link.open().await;
    let session = opened.map_err(|reason| OpenError::new(&server, reason))?;
    let route = workshop.route(link, None, Some(session));
    Ok(Arc::new(Routes::new(vec![route])))
}

#[async_trait]
impl Broker for RedisBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        self.workshop.outage.attach(receiver);
    }

    async fn publish(&self, topic: Topic, frame: Frame) -> Result<(), BrokerError> {
        let link = self.routes.link(topic);
        let published = link.publish(&channel_of(topic), Payload(&frame)).await;
        published.map_err(|reason| {
            tracing::debug!(%reason, "Redis did not take a frame");
            BrokerError::Unavailable
        })
    }

    async fn subscribe(&self, topic: Topic) -> Result<(), BrokerError> {
        let confirmation = self.routes.subscribe(topic)?;
        let asked = Asked(&self.routes, topic);
        match answer(confirmation).await {
            Answer::Confirmed => Ok(()),
            Answer::Lost | Answer::Late => asked.0.withdraw(topic),
        }
    }

    async fn unsubscribe(&self, topic: Topic) -> Result<(), BrokerError> {
        match answer(self.routes.unsubscribe(topic)).await {
            // A connection that is lost took the subscription with it.
            Answer::Confirmed | Answer::Lost => Ok(()),
            Answer::Late => Err(BrokerError::Unavailable),
        }
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        let are_proven = self.routes.are_proven();
        are_proven.then_some(()).ok_or(BrokerError::Unavailable)
    }
}

enum Answer {
    Confirmed,
    /// The connection was lost.
    Lost,
    Late,
}

async fn answer(confirmation: Confirmation) -> Answer {
    let Some(confirmation) = confirmation else {
        return Answer::Confirmed;
    };
    match timeout(ANSWERS_WITHIN, confirmation).await {
        Ok(Ok(())) => Answer::Confirmed,
        Ok(Err(_)) => Answer::Lost,
        Err(_) => Answer::Late,
    }
}

/// Whoever asks for a subscription and stops waiting leaves nothing behind.
struct Asked<'a>(&'a Routes, Topic);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        // Does nothing where it was confirmed.
        let _ = self.0.withdraw(self.1);
    }
}
