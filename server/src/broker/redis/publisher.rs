//! The connection that a server's frames leave by. It is replaced when it fails; what it carried is lost then, never
//! sent again, so that no frame is delivered twice or out of order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ToRedisArgs, Value, cmd};
use tokio::sync::{Notify, Semaphore};

use super::backoff::Backoff;
use super::dialect::Dialect;
use super::reason::Reason;
use super::server::Server;

/// Frames that may be on their way to the server. One more is refused.
const MOST_IN_FLIGHT: usize = 4_096;

pub struct Publisher {
    server: Server,
    dialect: Dialect,
    present: Mutex<Present>,
    in_flight: Semaphore,
    failed: Notify,
    /// Told when there is a new connection.
    connected: Arc<Notify>,
}

#[derive(Default)]
struct Present {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late failure of one is not taken for its successor's.
    number: u64,
    /// How the server knows the last connection that frames were sent by, until it is known to be closed there.
    identity: Option<Identity>,
}

/// A connection as its server knows it. Numbers begin anew when a server starts: only with its address is it the same.
#[derive(Clone)]
struct Identity {
    id: String,
    address: String,
}

impl Publisher {
    pub fn new(server: Server, dialect: Dialect, connected: Arc<Notify>) -> Self {
        Self {
            server,
            dialect,
            present: Mutex::default(),
            in_flight: Semaphore::new(MOST_IN_FLIGHT),
            failed: Notify::new(),
            connected,
        }
    }

    /// Publishes once, if there is room. An error says that the server may or may not have got it.
    pub async fn publish(&self, channel: &str, payload: impl ToRedisArgs) -> Result<(), Reason> {
        match self.in_flight.try_acquire() {
            Ok(_place) => self.send(channel, payload).await,
            Err(_) => Err(Reason::Busy),
        }
    }

    /// The same for the canary, which must not be silenced by many frames.
    pub async fn send(&self, channel: &str, payload: impl ToRedisArgs) -> Result<(), Reason> {
        let (connection, number) = {
            let present = self.lock();
            (present.connection.clone(), present.number)
        };
        let mut connection = connection.ok_or(Reason::Closed)?;
        let mut publish = cmd(self.dialect.publish());
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

    /// Makes the connection, and sees to it that no frame that was sent by the last one is published any more: it may
    /// still lie in a buffer of the server's, and would come after those that are sent now.
    pub async fn connect(&self) -> Result<(), Reason> {
        let config = AsyncConnectionConfig::new().set_pipeline_buffer_size(MOST_IN_FLIGHT);
        let mut connection = self.server.connect(config).await?;
        let last = self.lock().identity.clone();
        if let Some(last) = last {
            end(&mut connection, &last).await?;
        }
        let identity = identify(&mut connection).await?;
        let mut present = self.lock();
        present.number += 1;
        present.identity = identity;
        present.connection = Some(connection);
        drop(present);
        self.connected.notify_one();
        Ok(())
    }

    /// Replaces the connection whenever it fails, without end.
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
                    Err(reason) => tracing::debug!(%reason, "no connection to publish by"),
                }
            }
        }
    }

    fn fail(&self, number: u64) {
        let mut present = self.lock();
        if present.number == number && present.connection.take().is_some() {
            self.failed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// None where the server does not tell (before Redis 6.2), or not to this user.
async fn identify(connection: &mut MultiplexedConnection) -> Result<Option<Identity>, Reason> {
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
        .map(|(id, address)| Identity { id, address }))
}

/// Has the server close a connection of this node's. Whether it was still there does not matter.
async fn end(connection: &mut MultiplexedConnection, last: &Identity) -> Result<(), Reason> {
    let mut kill = Cmd::new();
    kill.arg("CLIENT")
        .arg("KILL")
        .arg("ID")
        .arg(&last.id)
        .arg("ADDR")
        .arg(&last.address);
    if let Value::ServerError(error) = connection.send_packed_command(&kill).await? {
        let reason = Reason::from(&error);
        tracing::warn!(%reason, "the server does not end this node's last connection: frames in it may come late");
    }
    Ok(())
}
