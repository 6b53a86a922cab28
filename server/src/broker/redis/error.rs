//! Errors at the start of a node with Redis.

use thiserror::Error;

use super::reason::Reason;
use super::server::Server;

/// Why a node cannot start with its `REDIS_URL`. No error contains a user name or a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// It is not an address of a Redis server.
    #[error(
        "REDIS_URL is not understood ({0}): write redis://USER:PASSWORD@HOST:PORT, redis+cluster://HOST:PORT,HOST:PORT \
         or redis+sentinel://HOST:PORT,HOST:PORT/MASTER, with rediss instead of redis for TLS"
    )]
    Url(&'static str),
    /// The user or the password is wrong or missing.
    #[error("Redis at {0} refused the login: REDIS_URL needs the right user and password")]
    Login(String),
    /// The user lacks permissions that a node needs.
    #[error(
        "Redis at {0} does not permit what a node does: let the user of REDIS_URL subscribe and publish on the \
         channels upload:*, or name another"
    )]
    NotPermitted(String),
    /// The server cannot be used.
    #[error(
        "Redis at {address} cannot be used ({reason}): start it or fix it, or let REDIS_URL name another"
    )]
    Unusable {
        /// Host and port.
        address: String,
        /// What was wrong at the last attempt.
        reason: Reason,
    },
}

impl OpenError {
    pub(super) fn new(server: &Server, reason: Reason) -> Self {
        let address = server.to_string();
        match reason {
            Reason::Login => Self::Login(address),
            Reason::NotPermitted => Self::NotPermitted(address),
            reason => Self::Unusable { address, reason },
        }
    }
}
