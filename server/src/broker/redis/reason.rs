//! The driver's errors without their texts, which may contain a user name or an address with credentials.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};
use thiserror::Error;

/// Why a command at a server failed. The texts contain no secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Reason {
    /// Nothing listens at the address.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// The host name does not resolve.
    #[error("the host name has no address")]
    UnknownHost,
    /// There was no answer in time.
    #[error("no answer in time")]
    Timeout,
    /// Too many frames are in flight.
    #[error("too many frames are in flight")]
    Busy,
    /// The connection was closed.
    #[error("the connection was closed")]
    Closed,
    /// The user or the password is wrong or missing.
    #[error("the login was refused")]
    Login,
    /// The user lacks a permission.
    #[error("the user lacks a permission")]
    NotPermitted,
    /// Published heartbeats are not received.
    #[error("published heartbeats are not received")]
    NoHeartbeat,
    /// The certificate is not trusted for the host name, or the server does not speak TLS.
    #[error(
        "it does not speak TLS, or its certificate is not trusted for that name; SSL_CERT_FILE may name those to trust"
    )]
    Tls,
    /// It speaks another protocol or an older version.
    #[error("it does not speak Redis' protocol in version 3 (Redis 6 or newer)")]
    Protocol,
    /// It is still loading its data.
    #[error("it is still loading its data")]
    Loading,
    /// The channel's slot belongs to another server.
    #[error("the slot belongs to another server")]
    Moved,
    /// The cluster is down.
    #[error("the cluster is down, or does not serve all slots")]
    ClusterDown,
    /// It is not part of a cluster.
    #[error("it is not part of a cluster")]
    NotACluster,
    /// The sentinels know no such master.
    #[error("no sentinel knows a working master of that name")]
    NoMaster,
    /// Any other answer.
    #[error("an unexpected answer")]
    Other,
}

impl From<&RedisError> for Reason {
    fn from(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io => from_io_error(error),
            ErrorKind::AuthenticationFailed => Self::Login,
            ErrorKind::RESP3NotSupported | ErrorKind::Parse => Self::Protocol,
            ErrorKind::MasterNameNotFoundBySentinel => Self::NoMaster,
            // Of the errors of the client itself only TLS can occur here.
            ErrorKind::Client => Self::Tls,
            ErrorKind::Server(kind) => from_server_error(kind, error.detail().unwrap_or_default()),
            ErrorKind::Extension => from_code(error.code().unwrap_or_default()),
            _ => Self::Other,
        }
    }
}

impl From<RedisError> for Reason {
    fn from(error: RedisError) -> Self {
        Self::from(&error)
    }
}

impl From<&ServerError> for Reason {
    fn from(error: &ServerError) -> Self {
        match error.kind() {
            Some(kind) => from_server_error(kind, error.details().unwrap_or_default()),
            None => from_code(error.code()),
        }
    }
}

/// How the driver wraps an input or output error.
type Wrapped = Arc<dyn Error + Send + Sync>;

fn from_io_error(error: &RedisError) -> Reason {
    if error.is_connection_refusal() {
        return Reason::ConnectionRefused;
    }
    if error.is_timeout() {
        return Reason::Timeout;
    }
    if error.is_connection_dropped() {
        return Reason::Closed;
    }
    let source = error
        .source()
        .and_then(<dyn Error>::downcast_ref::<Wrapped>);
    match source.and_then(|it| it.downcast_ref::<io::Error>()) {
        // A failed handshake of rustls; other errors are about certificates.
        Some(io) if io.kind() == io::ErrorKind::InvalidData => Reason::Tls,
        None => Reason::Tls,
        Some(io) if io.to_string().contains("lookup address") => Reason::UnknownHost,
        Some(_) => Reason::Closed,
    }
}

fn from_server_error(kind: ServerErrorKind, detail: &str) -> Reason {
    match kind {
        ServerErrorKind::NoPerm => Reason::NotPermitted,
        ServerErrorKind::BusyLoading => Reason::Loading,
        ServerErrorKind::Moved | ServerErrorKind::Ask => Reason::Moved,
        ServerErrorKind::ClusterDown => Reason::ClusterDown,
        ServerErrorKind::ResponseError if detail.contains("cluster support disabled") => {
            Reason::NotACluster
        }
        ServerErrorKind::ResponseError if detail.contains("unknown command") => Reason::Protocol,
        _ => Reason::Other,
    }
}

fn from_code(code: &str) -> Reason {
    match code {
        "WRONGPASS" | "NOAUTH" => Reason::Login,
        "NOPROTO" => Reason::Protocol,
        _ => Reason::Other,
    }
}
