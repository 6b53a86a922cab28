//! The broker of many nodes: Redis Pub/Sub. A topic's channel is `upload:{id}`; a node is subscribed to exactly those
//! that its sockets watch, by one connection, and publishes by another.
//!
//! - `link`: the two connections to a server and their supervision, which never gives up
//! - `channels`: what the node wants, and what the server has confirmed of it
//! - `subscriber`, `publisher`: one connection each
//! - `canary`: proves that frames flow
//! - `outage`: tells the node when they do not
//!
//! The driver's own resubscription is not used: it hides its errors and gives up.

mod backoff;
mod canary;
mod channels;
mod dialect;
mod error;
mod link;
mod outage;
mod payload;
mod publisher;
mod reason;
mod server;
mod subscriber;
mod url;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use error::OpenError;
pub use reason::Reason;

use self::canary::Canary;
use self::channels::{Channels, Confirmation};
use self::dialect::Dialect;
use self::link::Link;
use self::outage::Outage;
use self::payload::{Payload, canary_channel, channel_of};
use self::server::ANSWERS_WITHIN;
use super::{Broker, BrokerError, Deliver, Frame, Topic};
use crate::metrics::Metrics;

/// A node's end of Redis Pub/Sub. Its connections end when it is dropped.
pub struct RedisBroker {
    link: Arc<Link>,
    outage: Arc<Outage>,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl RedisBroker {
    /// Connects, and proves that frames flow. From then on it never gives up.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &str, metrics: &Arc<Metrics>) -> Result<Self, OpenError> {
        // Fails where the process has one already: it is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = url::parse(url)?;
        let address = server.address();
        let canary = Canary::new(canary_channel(rand::random()), Arc::clone(metrics));
        let outage = Arc::new(Outage::new());
        let link = Arc::new(Link::new(
            server,
            Dialect::Plain,
            canary,
            Arc::clone(&outage),
        ));
        let opened = link.open().await;
        let session = opened.map_err(|reason| OpenError::new(address, reason))?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn({
            let (link, outage, stop) = (Arc::clone(&link), Arc::clone(&outage), stop.clone());
            async move {
                let work = async { tokio::join!(link.run(session), outage.run()) };
                stop.run_until_cancelled(work).await;
            }
        });
        tasks.close();
        let stop = stop.drop_guard();
        Ok(Self {
            link,
            outage,
            tasks,
            stop,
        })
    }

    /// Ends its connections and waits until they have ended.
    pub async fn close(self) {
        drop(self.stop);
        self.tasks.wait().await;
    }
}

#[async_trait]
impl Broker for RedisBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        self.outage.attach(receiver);
    }

    async fn publish(&self, topic: Topic, frame: Frame) -> Result<(), BrokerError> {
        let channel = channel_of(topic);
        let published = self.link.publish(&channel, Payload(&frame)).await;
        published.map_err(|reason| {
            tracing::debug!(%reason, "Redis did not take a frame");
            BrokerError::Unavailable
        })
    }

    async fn subscribe(&self, topic: Topic) -> Result<(), BrokerError> {
        let channels = self.link.channels();
        let confirmation = channels.subscribe(topic)?;
        let _asked = Asked { channels, topic };
        match answer(confirmation).await {
            Answer::Confirmed => Ok(()),
            Answer::Lost | Answer::Late => channels.withdraw(topic),
        }
    }

    async fn unsubscribe(&self, topic: Topic) -> Result<(), BrokerError> {
        match answer(self.link.channels().unsubscribe(topic)).await {
            // A connection that is lost took the subscription with it.
            Answer::Confirmed | Answer::Lost => Ok(()),
            Answer::Late => Err(BrokerError::Unavailable),
        }
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.link
            .is_proven()
            .then_some(())
            .ok_or(BrokerError::Unavailable)
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
struct Asked<'a> {
    channels: &'a Channels,
    topic: Topic,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        // Does nothing where it was answered.
        let _ = self.channels.withdraw(self.topic);
    }
}
