//! The connection that publishes to a server. It is replaced when it fails. Frames that it carried are lost then and
//! not sent again, so that no frame is delivered twice or out of order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ToRedisArgs, Value, cmd, pipe};
use tokio::sync::{Notify, Semaphore};

use super::backoff::Backoff;
use super::pubsub::PubSubCommands;
use super::reason::Reason;
use super::server::Server;

/// The number of frames that may wait for the server's answer. One more is refused.
const MAX_IN_FLIGHT: usize = 4_096;

pub struct Publisher {
    server: Server,
    commands: PubSubCommands,
    current: Mutex<Current>,
    in_flight: Semaphore,
    failed: Notify,
    /// Notified when there is a new connection.
    connected: Arc<Notify>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late failure of one does not end its successor.
    number: u64,
    /// The server's identification of the last connection that frames were sent by.
    identity: Option<ClientIdentity>,
}

/// The server's identification of a connection. Ids are reused after a restart, so the address is needed too.
#[derive(Clone)]
struct ClientIdentity {
    id: String,
    address: String,
}

impl Publisher {
    pub fn new(server: Server, commands: PubSubCommands, connected: Arc<Notify>) -> Self {
        Self {
            server,
            commands,
            current: Mutex::default(),
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
            failed: Notify::new(),
            connected,
        }
    }

    /// Publishes once, unless too many frames are in flight. After an error other than [`Reason::Busy`] the frame may
    /// have been delivered.
    pub async fn publish(&self, channel: &str, payload: impl ToRedisArgs) -> Result<(), Reason> {
        match self.in_flight.try_acquire() {
            Ok(_permit) => self.send(channel, payload).await,
            Err(_) => Err(Reason::Busy),
        }
    }

    /// Publishes without that limit, for heartbeats, which must not fail because of many frames.
    pub async fn send(&self, channel: &str, payload: impl ToRedisArgs) -> Result<(), Reason> {
        let (mut connection, number) = self.current()?;
        let mut publish = cmd(self.commands.publish());
        publish.arg(channel).arg(payload);
        match connection.send_packed_command(&publish).await {
            Ok(Value::ServerError(error)) => Err(Reason::from(&error)),
            Ok(_) => Ok(()),
            Err(error) => {
                self.fail(number);
                Err(error.into())
            }
        }
    }

    /// Adds 1 to a counter, which expires after `keep`, and returns its value. `SET` makes the key with its expiry;
    /// without the transaction it could expire before `INCR`, which would make one that stays.
    pub async fn count(&self, key: &str, keep: Duration) -> Result<u64, Reason> {
        let _permit = self.in_flight.try_acquire().map_err(|_| Reason::Busy)?;
        let (mut connection, number) = self.current()?;
        let mut commands = pipe();
        let set = commands.atomic().cmd("SET").arg(key).arg(0);
        set.arg("EX").arg(keep.as_secs()).arg("NX");
        commands.cmd("INCR").arg(key);
        // Those of `MULTI` and `EXEC` too.
        match connection.send_packed_commands(&commands, 0, 4).await {
            Ok(answers) => count_in(&answers),
            Err(error) => {
                self.fail(number);
                Err(error.into())
            }
        }
    }

    fn current(&self) -> Result<(MultiplexedConnection, u64), Reason> {
        let current = self.lock();
        let connection = current.connection.clone().ok_or(Reason::Closed)?;
        Ok((connection, current.number))
    }

    /// Makes a new connection, and has the server close the last one. Otherwise a frame in the last one's buffer could
    /// be published after newer frames.
    pub async fn connect(&self) -> Result<(), Reason> {
        let config = AsyncConnectionConfig::new().set_pipeline_buffer_size(MAX_IN_FLIGHT);
        let mut connection = self.server.connect(config).await?;
        let last = self.lock().identity.clone();
        if let Some(last) = last {
            kill_client(&mut connection, &last).await?;
        }
        let identity = client_identity(&mut connection).await?;
        let mut current = self.lock();
        current.number += 1;
        current.identity = identity;
        current.connection = Some(connection);
        drop(current);
        self.connected.notify_one();
        Ok(())
    }

    /// Replaces the connection whenever it fails, forever.
    pub async fn run(&self) {
        loop {
            let is_connected = self.lock().connection.is_some();
            if is_connected {
                self.failed.notified().await;
                continue;
            }
            let mut backoff = Backoff::default();
            loop {
                backoff.wait().await;
                match self.connect().await {
                    Ok(()) => break,
                    Err(reason) => {
                        tracing::debug!(%reason, "could not connect to Redis for publishing");
                    }
                }
            }
        }
    }

    fn fail(&self, number: u64) {
        let mut current = self.lock();
        if current.number == number && current.connection.take().is_some() {
            self.failed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the counter's value from the answers to a transaction.
fn count_in(answers: &[Value]) -> Result<u64, Reason> {
    let done = match answers.last() {
        Some(Value::Array(done)) => done,
        // It was not executed, as the first error says.
        _ => answers,
    };
    let error = |answer: &Value| match answer {
        Value::ServerError(error) => Some(Reason::from(error)),
        _ => None,
    };
    match (done.iter().find_map(error), done.last()) {
        (Some(reason), _) => Err(reason),
        (None, Some(Value::Int(count))) => Ok(count.cast_unsigned()),
        (None, _) => Err(Reason::Protocol),
    }
}

/// Asks how the server identifies this connection; `None` before Redis 6.2 or without the permission.
async fn client_identity(
    connection: &mut MultiplexedConnection,
) -> Result<Option<ClientIdentity>, Reason> {
    let info = connection
        .send_packed_command(cmd("CLIENT").arg("INFO"))
        .await?;
    let text = match &info {
        Value::VerbatimString { text, .. } => text.as_str(),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => return Ok(None),
    };
    let field = |name: &str| {
        let mut fields = text.split_ascii_whitespace();
        fields
            .find_map(|field| field.strip_prefix(name))
            .map(str::to_owned)
    };
    Ok(field("id=")
        .zip(field("addr="))
        .map(|(id, address)| ClientIdentity { id, address }))
}

/// Has the server close a connection of this node, if it still exists.
async fn kill_client(
    connection: &mut MultiplexedConnection,
    last: &ClientIdentity,
) -> Result<(), Reason> {
    let mut kill = Cmd::new();
    kill.arg("CLIENT")
        .arg("KILL")
        .arg("ID")
        .arg(&last.id)
        .arg("ADDR")
        .arg(&last.address);
    if let Value::ServerError(error) = connection.send_packed_command(&kill).await? {
        let reason = Reason::from(&error);
        tracing::warn!(%reason, "Redis did not close this node's last connection: its frames may arrive late");
    }
    Ok(())
}
