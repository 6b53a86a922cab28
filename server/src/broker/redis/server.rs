//! A Redis server, and how to connect to it.

use std::fmt::{self, Display};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisError, TlsMode,
};
use tokio::io::DuplexStream;
use tokio::time::timeout;

use super::reason::Reason;

/// The time limit for any answer of a server and for a new connection.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The address of a server.
#[derive(Clone)]
pub enum Server {
    /// A fixed address.
    Fixed(ConnectionInfo),
    /// The master that the sentinels name. They are asked for each connection, because a failover changes the master.
    Master {
        sentinels: Vec<ConnectionInfo>,
        name: String,
        login: ConnectionInfo,
    },
    /// A simulated server.
    InMemory(Arc<dyn Dial>),
}

/// Makes connections to a server that is simulated in memory.
#[async_trait]
pub trait Dial: Send + Sync {
    /// Makes a connection, on which the server speaks RESP3.
    ///
    /// # Errors
    /// As `TcpStream::connect`.
    async fn dial(&self) -> io::Result<DuplexStream>;
}

impl Server {
    /// Makes a new, authenticated connection.
    pub async fn connect(
        &self,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Reason> {
        let config = config
            .set_connection_timeout(Some(RESPONSE_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let client = match self {
            Self::Fixed(info) => Client::open(info.clone())?,
            Self::Master {
                sentinels,
                name,
                login,
            } => {
                let found = timeout(RESPONSE_TIMEOUT, find_master(sentinels, name, login));
                found.await.map_err(|_| Reason::Timeout)??
            }
            Self::InMemory(dial) => {
                let opened = timeout(RESPONSE_TIMEOUT, connect_in_memory(dial.as_ref(), config));
                return opened.await.map_err(|_| Reason::Timeout)?;
            }
        };
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        Ok(connection.await?)
    }
}

/// The address without credentials.
impl Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(info) => write!(f, "{}", info.addr()),
            Self::Master {
                sentinels, name, ..
            } => {
                let addresses = sentinels.iter().map(|info| info.addr().to_string());
                let addresses = addresses.collect::<Vec<_>>().join(",");
                write!(f, "{addresses}/{name}")
            }
            Self::InMemory(_) => f.write_str("in memory"),
        }
    }
}

async fn connect_in_memory(
    dial: &dyn Dial,
    config: AsyncConnectionConfig,
) -> Result<MultiplexedConnection, Reason> {
    let stream = dial.dial().await.map_err(RedisError::from)?;
    let settings = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    let (connection, driver) =
        MultiplexedConnection::new_with_config(&settings, stream, config).await?;
    // It ends when the connection is dropped.
    tokio::spawn(driver);
    Ok(connection)
}

async fn find_master(
    sentinels: &[ConnectionInfo],
    name: &str,
    login: &ConnectionInfo,
) -> Result<Client, Reason> {
    let mut node = SentinelNodeConnectionInfo::default()
        .set_redis_connection_info(login.redis_settings().clone());
    if matches!(login.addr(), ConnectionAddr::TcpTls { .. }) {
        node = node.set_tls_mode(TlsMode::Secure);
    }
    let mut sentinel = Sentinel::build(sentinels.to_vec())?;
    Ok(sentinel.async_master_for(name, Some(&node)).await?)
}
