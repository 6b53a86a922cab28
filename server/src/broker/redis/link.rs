//! A node's two connections to one server. Both are replaced whenever they fail, without a limit on attempts; the
//! wanted channels are subscribed again on a new connection, and checked by a heartbeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::ToRedisArgs;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::channels::Channels;
use super::heartbeat::{HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, Heartbeat};
use super::outage::LinkHealth;
use super::publisher::Publisher;
use super::pubsub::PubSubCommands;
use super::reason::Reason;
use super::server::Server;
use super::subscriber::Subscriber;

/// The connections to one server. They are supervised while [`Link::run`] is polled.
pub struct Link {
    server: Server,
    commands: PubSubCommands,
    channels: Arc<Channels>,
    heartbeat: Arc<Heartbeat>,
    publisher: Publisher,
    /// Healthy when a heartbeat was received on the current connection after everything was subscribed.
    health: LinkHealth,
    next_connection: AtomicU64,
    /// Requests a heartbeat at once.
    heartbeat_now: Arc<Notify>,
    /// Notified after errors that may be caused by moved slots.
    recheck_slots: Arc<Notify>,
}

/// A subscribing connection.
pub struct SubscriberConnection {
    subscriber: Subscriber,
    /// The number of channels to subscribe when it was made.
    initial_channels: usize,
}

impl Link {
    /// Creates a link without connections.
    pub fn new(
        server: Server,
        commands: PubSubCommands,
        heartbeat: Heartbeat,
        health: LinkHealth,
        recheck_slots: Arc<Notify>,
    ) -> Self {
        let heartbeat_now = Arc::new(Notify::new());
        Self {
            publisher: Publisher::new(server.clone(), commands, Arc::clone(&heartbeat_now)),
            server,
            commands,
            channels: Arc::new(Channels::new(health.receiver())),
            heartbeat: Arc::new(heartbeat),
            health,
            next_connection: AtomicU64::new(0),
            heartbeat_now,
            recheck_slots,
        }
    }

    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    pub async fn publish(&self, channel: &str, payload: impl ToRedisArgs) -> Result<(), Reason> {
        let published = self.publisher.publish(channel, payload).await;
        if published == Err(Reason::Moved) {
            self.recheck_slots.notify_one();
        }
        published
    }

    /// See [`Publisher::count`].
    pub async fn count(&self, key: &str, keep: Duration) -> Result<u64, Reason> {
        let counted = self.publisher.count(key, keep).await;
        if counted == Err(Reason::Moved) {
            self.recheck_slots.notify_one();
        }
        counted
    }

    /// Whether heartbeats come back.
    pub fn is_healthy(&self) -> bool {
        self.health.is_healthy() && self.heartbeat.is_recent()
    }

    /// Connects for the first time, and waits for a heartbeat.
    ///
    /// # Errors
    /// The reason why the server cannot be used.
    pub async fn open(&self) -> Result<SubscriberConnection, Reason> {
        self.publisher.connect().await?;
        let connection = self.connect().await?;
        let received = self.heartbeat.next_received();
        self.send_heartbeat().await?;
        timeout(HEARTBEAT_TIMEOUT, received)
            .await
            .map_err(|_| Reason::NoHeartbeat)?;
        self.health.set_healthy();
        Ok(connection)
    }

    /// Supervises the connections forever, beginning with the one that `open` made.
    pub async fn run(&self, connection: Option<SubscriberConnection>) {
        tokio::join!(
            self.publisher.run(),
            self.send_heartbeats(),
            self.supervise(connection)
        );
    }

    async fn supervise(&self, mut connection: Option<SubscriberConnection>) {
        let mut backoff = Backoff::default();
        loop {
            let current = match connection.take() {
                Some(connection) => connection,
                None => self.reconnect(&mut backoff).await,
            };
            let reason = self.serve(&current, &mut backoff).await;
            self.channels.disconnected();
            self.health.set_lost();
            self.recheck_slots.notify_one();
            tracing::warn!(server = %self.server, %reason, "the connection for subscriptions to Redis is lost");
        }
    }

    async fn reconnect(&self, backoff: &mut Backoff) -> SubscriberConnection {
        loop {
            backoff.wait().await;
            match self.connect().await {
                Ok(connection) => return connection,
                Err(reason) => {
                    tracing::debug!(%reason, "could not connect to Redis for subscriptions");
                }
            }
        }
    }

    async fn connect(&self) -> Result<SubscriberConnection, Reason> {
        let number = self.next_connection.fetch_add(1, Ordering::Relaxed);
        let (channels, heartbeat) = (&self.channels, &self.heartbeat);
        let subscriber =
            Subscriber::connect(&self.server, self.commands, number, channels, heartbeat).await?;
        Ok(SubscriberConnection {
            subscriber,
            initial_channels: self.channels.connected(number),
        })
    }

    /// Uses a connection until it is lost, and returns the reason.
    async fn serve(&self, connection: &SubscriberConnection, backoff: &mut Backoff) -> Reason {
        let caught_up = Notify::new();
        tokio::select! {
            biased;
            reason = connection.subscriber.apply_changes(connection.initial_channels, &caught_up) => reason,
            () = connection.subscriber.disconnected() => Reason::Closed,
            () = self.check_heartbeats(&caught_up, backoff) => Reason::NoHeartbeat,
        }
    }

    /// Waits for a heartbeat once everything is subscribed, and returns when heartbeats stop coming back.
    async fn check_heartbeats(&self, caught_up: &Notify, backoff: &mut Backoff) {
        caught_up.notified().await;
        let received = self.heartbeat.next_received();
        self.heartbeat_now.notify_one();
        if timeout(HEARTBEAT_TIMEOUT, received).await.is_err() {
            return;
        }
        *backoff = Backoff::default();
        self.health.set_healthy();
        self.heartbeat.timed_out().await;
    }

    async fn send_heartbeats(&self) {
        loop {
            if let Err(reason) = self.send_heartbeat().await {
                tracing::debug!(%reason, "could not publish a heartbeat");
            }
            tokio::select! {
                biased;
                () = sleep(HEARTBEAT_INTERVAL) => {}
                () = self.heartbeat_now.notified() => {}
            }
        }
    }

    async fn send_heartbeat(&self) -> Result<(), Reason> {
        let (channel, payload) = (self.heartbeat.channel(), self.heartbeat.payload());
        self.publisher.send(channel, payload).await
    }
}
