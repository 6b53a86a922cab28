//! One Redis server, and how a connection to it is made.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};

use super::reason::Reason;

/// How long a server may take to answer anything, a new connection included. Whoever waits for it is refused then.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Where a server is found.
#[derive(Clone)]
pub enum Server {
    /// Always at the same address.
    Fixed(Client),
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
        let Self::Fixed(client) = self;
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        Ok(connection.await?)
    }

    /// Its address, without credentials.
    pub fn address(&self) -> String {
        let Self::Fixed(client) = self;
        client.get_connection_info().addr().to_string()
    }
}
