//! A connection on which a server's frames arrive.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, PushInfo, PushKind, Value};
use tokio::sync::Notify;

use super::channels::{Channels, CommandBatch, ConnectionNumber};
use super::heartbeat::Heartbeat;
use super::payload::{channel_of, parse_frame, topic_of};
use super::pubsub::PubSubCommands;
use super::reason::Reason;
use super::server::Server;

/// The number of channels in one batch, whose confirmations are awaited before the next.
const MAX_BATCH: usize = 500;

/// A subscribing connection, which is closed when it is dropped.
pub struct Subscriber {
    connection: MultiplexedConnection,
    handler: Arc<PushHandler>,
}

/// Handles what arrives, in the task that reads the connection. Nothing is queued here: a node that is slow reads more
/// slowly, and the server closes the connection of one that is far behind.
struct PushHandler {
    connection_number: ConnectionNumber,
    commands: PubSubCommands,
    channels: Arc<Channels>,
    heartbeat: Arc<Heartbeat>,
    /// Notified when the connection is lost.
    disconnected: Notify,
}

impl Subscriber {
    /// Connects, and subscribes the heartbeat channel.
    pub async fn connect(
        server: &Server,
        commands: PubSubCommands,
        connection_number: ConnectionNumber,
        channels: &Arc<Channels>,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<Self, Reason> {
        let handler = Arc::new(PushHandler {
            connection_number,
            commands,
            channels: Arc::clone(channels),
            heartbeat: Arc::clone(heartbeat),
            disconnected: Notify::new(),
        });
        let pushed = Arc::clone(&handler);
        let config = AsyncConnectionConfig::new().set_push_sender(move |push| {
            pushed.handle(push);
            Ok::<(), redis::aio::SendError>(())
        });
        let connection = server.connect(config).await?;
        let subscriber = Self {
            connection,
            handler,
        };
        let channel = [heartbeat.channel().to_owned()];
        subscriber.send(&channel, &[]).await?;
        Ok(subscriber)
    }

    /// Sends the changes of subscriptions to the server, batch by batch, until that fails. Notifies `caught_up` once
    /// the first `initial_channels` channels are confirmed.
    pub async fn apply_changes(&self, initial_channels: usize, caught_up: &Notify) -> Reason {
        let mut missing = initial_channels;
        if missing == 0 {
            caught_up.notify_one();
        }
        loop {
            let batch = self.handler.channels.next_batch(MAX_BATCH).await;
            if let Err(reason) = self.apply(&batch).await {
                return reason;
            }
            if missing > 0 {
                missing = missing.saturating_sub(batch.dequeued);
                if missing == 0 {
                    caught_up.notify_one();
                }
            }
        }
    }

    /// Waits until the connection is lost or has to be replaced.
    pub async fn disconnected(&self) {
        self.handler.disconnected.notified().await;
    }

    async fn apply(&self, batch: &CommandBatch) -> Result<(), Reason> {
        let names = |topics: &[_]| topics.iter().copied().map(channel_of).collect::<Vec<_>>();
        let (subscribe, unsubscribe) = (names(&batch.subscribe), names(&batch.unsubscribe));
        self.send(&subscribe, &unsubscribe).await?;
        let PushHandler {
            channels,
            connection_number,
            ..
        } = &*self.handler;
        channels.confirmed(*connection_number, batch);
        Ok(())
    }

    /// Sends one command per channel, so that each has its own answer: a cluster refuses a command with channels of
    /// several slots, and an answer that does not match its command was not sent in reply to it.
    async fn send(&self, subscribe: &[String], unsubscribe: &[String]) -> Result<(), Reason> {
        let commands = self.handler.commands;
        let mut pipeline = Pipeline::with_capacity(subscribe.len() + unsubscribe.len());
        for channel in subscribe {
            pipeline.cmd(commands.subscribe()).arg(channel);
        }
        for channel in unsubscribe {
            pipeline.cmd(commands.unsubscribe()).arg(channel);
        }
        if pipeline.is_empty() {
            return Ok(());
        }
        let mut connection = self.connection.clone();
        let answers = connection
            .send_packed_commands(&pipeline, 0, pipeline.len())
            .await?;
        let expected = subscribe
            .iter()
            .map(|channel| (commands.subscribed(), channel));
        let expected = expected.chain(
            unsubscribe
                .iter()
                .map(|channel| (commands.unsubscribed(), channel)),
        );
        for (answer, (kind, channel)) in answers.iter().zip(expected) {
            check(answer, &kind, channel)?;
        }
        if answers.len() == pipeline.len() {
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

impl PushHandler {
    fn handle(&self, push: PushInfo) {
        match push.kind {
            PushKind::Message | PushKind::SMessage => self.on_message(push.data),
            PushKind::Unsubscribe | PushKind::SUnsubscribe => self.on_unsubscribed(&push.data),
            PushKind::Disconnection => self.disconnected.notify_one(),
            // Confirmations are checked in `send`.
            _ => {}
        }
    }

    fn on_message(&self, data: Vec<Value>) {
        let Ok([Value::BulkString(channel), Value::BulkString(payload)]) = <[_; 2]>::try_from(data)
        else {
            tracing::debug!("a message with an unknown format was dropped");
            return;
        };
        if let Some(topic) = topic_of(&channel) {
            if let Some(frame) = parse_frame(payload) {
                self.channels.deliver(self.connection_number, topic, frame);
            } else {
                self.channels
                    .reject("the class is unknown or the text is not UTF-8");
            }
        } else if channel == self.heartbeat.channel().as_bytes() {
            self.heartbeat.on_received(&payload);
        }
    }

    /// Handles the end of a subscription. If it was not requested, the channel's slot has moved: the connection is
    /// replaced, and the channels are subscribed at their present servers.
    fn on_unsubscribed(&self, data: &[Value]) {
        let Some(Value::BulkString(channel)) = data.first() else {
            return;
        };
        let is_unexpected = match topic_of(channel) {
            Some(topic) => self
                .channels
                .on_subscription_ended(self.connection_number, topic),
            None => channel == self.heartbeat.channel().as_bytes(),
        };
        if is_unexpected {
            self.disconnected.notify_one();
        }
    }
}
