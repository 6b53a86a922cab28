//! What `REDIS_URL` may say.

use redis::{Client, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use super::error::OpenError;
use super::server::Server;

/// The server that an address names.
pub fn parse(url: &str) -> Result<Server, OpenError> {
    let client = Client::open(connection(url)?);
    client
        .map(Server::Fixed)
        .map_err(|_| OpenError::Url("no address of one server"))
}

/// The driver's own reading of one address. Its errors may quote the address, so they are not passed on.
fn connection(url: &str) -> Result<ConnectionInfo, OpenError> {
    let info = url.into_connection_info();
    let info = info.map_err(|_| OpenError::Url("scheme, host, port or database are wrong"))?;
    // Confirmations and messages can be told apart in this version only.
    let redis = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(redis))
}
