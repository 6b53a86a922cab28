//! One Redis server, and how a connection to it is made.

use std::fmt::{self, Display};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, TlsMode};
use tokio::time::timeout;

use super::reason::Reason;

/// How long a server may take to answer anything, a new connection included. Whoever waits for it is refused then.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Where a server is found.
#[derive(Clone)]
pub enum Server {
    /// Always at the same address.
    Fixed(ConnectionInfo),
    /// Where sentinels say, asked for each connection: after a failover that is another.
    Master {
        sentinels: Vec<ConnectionInfo>,
        name: String,
        login: ConnectionInfo,
    },
}

impl Server {
    /// A new connection, logged in.
    pub async fn connect(
        &self,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Reason> {
        let config = config
            .set_connection_timeout(Some(ANSWERS_WITHIN))
            .set_response_timeout(Some(ANSWERS_WITHIN));
        let client = match self {
            Self::Fixed(info) => Client::open(info.clone())?,
            Self::Master {
                sentinels,
                name,
                login,
            } => {
                let found = timeout(ANSWERS_WITHIN, find(sentinels, name, login));
                found.await.map_err(|_| Reason::Timeout)??
            }
        };
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        Ok(connection.await?)
    }
}

/// Without credentials.
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
        }
    }
}

async fn find(
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
