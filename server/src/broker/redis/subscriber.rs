//! One connection that a server's frames arrive by.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, PushInfo, PushKind, Value};
use tokio::sync::Notify;

use super::canary::Canary;
use super::channels::{Batch, Channels, Generation};
use super::dialect::Dialect;
use super::payload::{channel_of, frame_of, topic_of};
use super::reason::Reason;
use super::server::Server;

/// Channels of one batch: so much is sent before its confirmations are awaited.
const BATCH: usize = 500;

/// It ends when it is dropped.
pub struct Subscriber {
    connection: MultiplexedConnection,
    arrivals: Arc<Arrivals>,
}

/// Takes what arrives, on the task that reads the connection: a node that does not keep up reads more slowly, and a
/// server closes the connection of one that is far behind. So nothing piles up here.
struct Arrivals {
    generation: Generation,
    dialect: Dialect,
    channels: Arc<Channels>,
    canary: Arc<Canary>,
    /// Told once no more will arrive.
    broken: Notify,
}

impl Subscriber {
    /// Connects, and subscribes the canary.
    pub async fn connect(
        server: &Server,
        dialect: Dialect,
        generation: Generation,
        channels: &Arc<Channels>,
        canary: &Arc<Canary>,
    ) -> Result<Self, Reason> {
        let arrivals = Arc::new(Arrivals {
            generation,
            dialect,
            channels: Arc::clone(channels),
            canary: Arc::clone(canary),
            broken: Notify::new(),
        });
        let handler = Arc::clone(&arrivals);
        let config = AsyncConnectionConfig::new().set_push_sender(move |push| {
            handler.take(push);
            Ok::<(), redis::aio::SendError>(())
        });
        let connection = server.connect(config).await?;
        let subscriber = Self {
            connection,
            arrivals,
        };
        let channel = [canary.channel().to_owned()];
        subscriber.send(&channel, &[]).await?;
        Ok(subscriber)
    }

    /// Brings the server to what is wanted, batch by batch, as long as the connection lasts. `caught_up` is told once
    /// as many channels as there were at first are confirmed.
    pub async fn follow(&self, at_first: usize, caught_up: &Notify) -> Reason {
        let mut missing = at_first;
        if missing == 0 {
            caught_up.notify_one();
        }
        loop {
            let batch = self.arrivals.channels.next_batch(BATCH).await;
            if let Err(reason) = self.apply(&batch).await {
                return reason;
            }
            if missing > 0 {
                missing = missing.saturating_sub(batch.taken);
                if missing == 0 {
                    caught_up.notify_one();
                }
            }
        }
    }

    /// Waits until the connection breaks, or is of no more use.
    pub async fn broken(&self) {
        self.arrivals.broken.notified().await;
    }

    async fn apply(&self, batch: &Batch) -> Result<(), Reason> {
        let names = |topics: &[_]| topics.iter().copied().map(channel_of).collect::<Vec<_>>();
        let (subscribe, unsubscribe) = (names(&batch.subscribe), names(&batch.unsubscribe));
        self.send(&subscribe, &unsubscribe).await?;
        let Arrivals {
            channels,
            generation,
            ..
        } = &*self.arrivals;
        channels.confirmed(*generation, batch);
        Ok(())
    }

    /// One command for each channel, so that each has an answer of its own: a cluster refuses one with channels of
    /// several slots, and an answer in the wrong place shows that the server spoke unasked.
    async fn send(&self, subscribe: &[String], unsubscribe: &[String]) -> Result<(), Reason> {
        let dialect = self.arrivals.dialect;
        let mut commands = Pipeline::with_capacity(subscribe.len() + unsubscribe.len());
        for channel in subscribe {
            commands.cmd(dialect.subscribe()).arg(channel);
        }
        for channel in unsubscribe {
            commands.cmd(dialect.unsubscribe()).arg(channel);
        }
        if commands.is_empty() {
            return Ok(());
        }
        let mut connection = self.connection.clone();
        let answers = connection
            .send_packed_commands(&commands, 0, commands.len())
            .await?;
        let expected = subscribe
            .iter()
            .map(|channel| (dialect.subscribed(), channel));
        let expected = expected.chain(
            unsubscribe
                .iter()
                .map(|channel| (dialect.unsubscribed(), channel)),
        );
        for (answer, (kind, channel)) in answers.iter().zip(expected) {
            check(answer, &kind, channel)?;
        }
        if answers.len() == commands.len() {
            Ok(())
        } else {
            Err(Reason::Other)
        }
    }
}

fn check(answer: &Value, expected: &PushKind, channel: &str) -> Result<(), Reason> {
    match answer {
        Value::Push { kind, data } if kind == expected => match data.first() {
            Some(Value::BulkString(name)) if name == channel.as_bytes() => Ok(()),
            _ => Err(Reason::Other),
        },
        Value::ServerError(error) => Err(error.into()),
        _ => Err(Reason::Other),
    }
}

impl Arrivals {
    fn take(&self, push: PushInfo) {
        match push.kind {
            PushKind::Message | PushKind::SMessage => self.take_message(push.data),
            PushKind::Unsubscribe | PushKind::SUnsubscribe => self.take_end(&push.data),
            PushKind::Disconnection => self.broken.notify_one(),
            // Confirmations are checked where they are awaited.
            _ => {}
        }
    }

    fn take_message(&self, data: Vec<Value>) {
        let Ok([Value::BulkString(channel), Value::BulkString(payload)]) = <[_; 2]>::try_from(data)
        else {
            tracing::debug!("a message of an unknown form was dropped");
            return;
        };
        if let Some(topic) = topic_of(&channel) {
            if let Some(frame) = frame_of(payload) {
                self.channels.deliver(self.generation, topic, frame);
            } else {
                self.channels
                    .refuse("its class is unknown or its text no UTF-8");
            }
        } else if channel == self.canary.channel().as_bytes() {
            self.canary.hear(&payload);
        }
    }

    /// A channel has ended at the server. Unasked, that means that its slot has moved: everything is subscribed anew,
    /// where it belongs by then.
    fn take_end(&self, data: &[Value]) {
        let Some(Value::BulkString(channel)) = data.first() else {
            return;
        };
        let is_unasked = match topic_of(channel) {
            Some(topic) => self.channels.has_ended_unasked(self.generation, topic),
            None => channel == self.canary.channel().as_bytes(),
        };
        if is_unasked {
            self.broken.notify_one();
        }
    }
}
