//! A node's two connections to one server, and the supervision that assumes the worst of them: whatever happens to the
//! server or on the way to it, the channels that the node wants are subscribed again, and proven.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::ToRedisArgs;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::canary::{self, Canary, SILENT_AFTER};
use super::channels::Channels;
use super::dialect::Dialect;
use super::outage::Line;
use super::publisher::Publisher;
use super::reason::Reason;
use super::server::Server;
use super::subscriber::Subscriber;

/// See the module. It works as long as [`Link::run`] is polled.
pub struct Link {
    server: Server,
    dialect: Dialect,
    channels: Arc<Channels>,
    canary: Arc<Canary>,
    publisher: Publisher,
    /// Proven when the canary was heard on the present connection after everything was subscribed.
    line: Line,
    connections: AtomicU64,
    /// Asks for a canary at once.
    sing: Arc<Notify>,
    /// Told when something is wrong that may be the server's place in its cluster.
    trouble: Arc<Notify>,
}

/// A connection that everything is subscribed on, or will be.
pub struct Session {
    subscriber: Subscriber,
    /// How many channels were wanted when it began.
    at_first: usize,
}

impl Link {
    /// A link without connections yet.
    pub fn new(
        server: Server,
        dialect: Dialect,
        canary: Canary,
        line: Line,
        trouble: Arc<Notify>,
    ) -> Self {
        let sing = Arc::new(Notify::new());
        Self {
            publisher: Publisher::new(server.clone(), dialect, Arc::clone(&sing)),
            server,
            dialect,
            channels: Arc::new(Channels::new(line.receiver())),
            canary: Arc::new(canary),
            line,
            connections: AtomicU64::new(0),
            sing,
            trouble,
        }
    }

    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    pub async fn publish(&self, channel: &str, payload: impl ToRedisArgs) -> Result<(), Reason> {
        let published = self.publisher.publish(channel, payload).await;
        if published == Err(Reason::Moved) {
            self.trouble.notify_one();
        }
        published
    }

    /// Do frames flow?
    pub fn is_proven(&self) -> bool {
        self.line.is_proven() && self.canary.is_fresh()
    }

    /// Connects for the first time and hears the canary once, for a start that fails where it has to.
    ///
    /// # Errors
    /// Why the server cannot be used.
    pub async fn open(&self) -> Result<Session, Reason> {
        self.publisher.connect().await?;
        let session = self.connect().await?;
        let heard = self.canary.heard_again();
        self.sing_once().await?;
        timeout(SILENT_AFTER, heard)
            .await
            .map_err(|_| Reason::Silent)?;
        self.line.proven();
        Ok(session)
    }

    /// Works without end, at first with what `open` gave.
    pub async fn run(&self, session: Option<Session>) {
        tokio::join!(self.publisher.run(), self.sing(), self.supervise(session));
    }

    async fn supervise(&self, mut session: Option<Session>) {
        let mut backoff = Backoff::default();
        loop {
            let present = match session.take() {
                Some(session) => session,
                None => self.reconnect(&mut backoff).await,
            };
            let reason = self.serve(&present, &mut backoff).await;
            self.channels.lost();
            self.line.lost();
            self.trouble.notify_one();
            tracing::warn!(server = %self.server, %reason, "the subscription at Redis is lost");
        }
    }

    async fn reconnect(&self, backoff: &mut Backoff) -> Session {
        loop {
            backoff.wait().await;
            match self.connect().await {
                Ok(session) => return session,
                Err(reason) => tracing::debug!(%reason, "no connection to subscribe by"),
            }
        }
    }

    async fn connect(&self) -> Result<Session, Reason> {
        let generation = self.connections.fetch_add(1, Ordering::Relaxed);
        let (channels, canary) = (&self.channels, &self.canary);
        let subscriber =
            Subscriber::connect(&self.server, self.dialect, generation, channels, canary).await?;
        Ok(Session {
            subscriber,
            at_first: self.channels.connected(generation),
        })
    }

    /// Uses a connection until it is lost; answers why it was.
    async fn serve(&self, session: &Session, backoff: &mut Backoff) -> Reason {
        let caught_up = Notify::new();
        tokio::select! {
            reason = session.subscriber.follow(session.at_first, &caught_up) => reason,
            () = session.subscriber.broken() => Reason::Closed,
            () = self.watch(&caught_up, backoff) => Reason::Silent,
        }
    }

    /// Proves that frames flow once everything is subscribed, and returns when they do not, or no longer.
    async fn watch(&self, caught_up: &Notify, backoff: &mut Backoff) {
        caught_up.notified().await;
        let heard = self.canary.heard_again();
        self.sing.notify_one();
        if timeout(SILENT_AFTER, heard).await.is_err() {
            return;
        }
        *backoff = Backoff::default();
        self.line.proven();
        self.canary.silence().await;
    }

    async fn sing(&self) {
        loop {
            if let Err(reason) = self.sing_once().await {
                tracing::debug!(%reason, "no canary was published");
            }
            tokio::select! {
                () = sleep(canary::EVERY) => {}
                () = self.sing.notified() => {}
            }
        }
    }

    async fn sing_once(&self) -> Result<(), Reason> {
        let (channel, song) = (self.canary.channel(), self.canary.song());
        self.publisher.send(channel, song).await
    }
}
