//! A node's two connections to one server, and the supervision that assumes the worst of them: whatever happens to the
//! server or on the way to it, the channels that the node wants are subscribed again, and proven.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redis::ToRedisArgs;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::canary::{self, Canary, SILENT_AFTER};
use super::channels::{Channels, Generation};
use super::dialect::Dialect;
use super::outage::Outage;
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
    outage: Arc<Outage>,
    /// The canary was heard on the present connection after everything was subscribed. While it is not so, the outage
    /// counts this link.
    is_proven: AtomicBool,
    connections: AtomicU64,
    /// Asks for a canary at once.
    sing: Arc<Notify>,
}

/// A connection that everything is subscribed on, or will be.
pub struct Session {
    generation: Generation,
    subscriber: Subscriber,
}

impl Link {
    /// A link that is yet to be opened.
    pub fn new(server: Server, dialect: Dialect, canary: Canary, outage: Arc<Outage>) -> Self {
        let sing = Arc::new(Notify::new());
        Self {
            publisher: Publisher::new(server.clone(), dialect, Arc::clone(&sing)),
            server,
            dialect,
            channels: Arc::new(Channels::new(outage.receiver())),
            canary: Arc::new(canary),
            outage,
            is_proven: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            sing,
        }
    }

    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    pub async fn publish(&self, channel: &str, payload: impl ToRedisArgs) -> Result<(), Reason> {
        self.publisher.publish(channel, payload).await
    }

    /// Do frames flow?
    pub fn is_proven(&self) -> bool {
        self.is_proven.load(Ordering::Acquire) && self.canary.is_fresh()
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
        self.is_proven.store(true, Ordering::Release);
        Ok(session)
    }

    /// Works without end.
    pub async fn run(&self, session: Session) {
        tokio::join!(
            self.publisher.run(),
            self.sing(),
            self.supervise(Some(session))
        );
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
            if self.is_proven.swap(false, Ordering::AcqRel) {
                self.outage.lost();
            }
            let server = self.server.address();
            tracing::warn!(server, %reason, "the subscription at Redis is lost");
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
            generation,
            subscriber,
        })
    }

    /// Uses a connection until it is lost; answers why it was.
    async fn serve(&self, session: &Session, backoff: &mut Backoff) -> Reason {
        let caught_up = Notify::new();
        let at_first = self.channels.connected(session.generation);
        tokio::select! {
            reason = session.subscriber.follow(at_first, &caught_up) => reason,
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
        if !self.is_proven.swap(true, Ordering::AcqRel) {
            self.outage.repaired();
        }
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
        self.publish(self.canary.channel(), self.canary.song())
            .await
    }
}
