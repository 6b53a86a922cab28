//! What may be said of the driver's errors. Their own texts may hold a user's name or an address with credentials, so
//! none of them is ever shown.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};
use thiserror::Error;

/// Why a server did not do it, in words that hold no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Reason {
    /// Nobody listens there.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// No address belongs to the host's name.
    #[error("its name has no address")]
    UnknownHost,
    /// Nothing came back in time.
    #[error("no answer in time")]
    Timeout,
    /// Too much is on its way to it.
    #[error("too many frames wait for its answer")]
    Busy,
    /// The connection broke.
    #[error("the connection was closed")]
    Closed,
    /// User or password are wrong, or missing.
    #[error("the login was refused")]
    Login,
    /// The user may not do it.
    #[error("the user is not permitted to do it")]
    NotPermitted,
    /// It takes what is published, and does not send it on.
    #[error("what is published does not come back")]
    Silent,
    /// Its certificate does not prove its name, or it does not speak TLS.
    #[error(
        "it does not speak TLS, or its certificate is not trusted for that name; SSL_CERT_FILE may name those to trust"
    )]
    Tls,
    /// It speaks another protocol, or an older version of it.
    #[error("it does not speak Redis' protocol in version 3 (Redis 6 or newer)")]
    Protocol,
    /// It reads its data from disk.
    #[error("it is still loading")]
    Loading,
    /// The channel's slot belongs to another server.
    #[error("the slot belongs to another server")]
    Moved,
    /// The cluster does not work.
    #[error("the cluster is down, or does not serve all slots")]
    ClusterDown,
    /// It is no cluster.
    #[error("it is not part of a cluster")]
    NoCluster,
    /// The sentinels know no such master.
    #[error("no sentinel knows a master of that name that works")]
    NoMaster,
    /// Something else.
    #[error("an unexpected answer")]
    Other,
}

impl From<&RedisError> for Reason {
    fn from(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io => of_io(error),
            ErrorKind::AuthenticationFailed => Self::Login,
            ErrorKind::RESP3NotSupported | ErrorKind::Parse => Self::Protocol,
            ErrorKind::MasterNameNotFoundBySentinel => Self::NoMaster,
            // Of all that the client decides by itself only TLS can fail here.
            ErrorKind::Client => Self::Tls,
            ErrorKind::Server(kind) => of_server(kind, error.detail().unwrap_or_default()),
            ErrorKind::Extension => of_code(error.code().unwrap_or_default()),
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
            Some(kind) => of_server(kind, error.details().unwrap_or_default()),
            None => of_code(error.code()),
        }
    }
}

/// How the driver wraps what happened.
type Wrapped = Arc<dyn Error + Send + Sync>;

fn of_io(error: &RedisError) -> Reason {
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
        // So rustls tells that a handshake failed. Other errors are those of certificates.
        Some(io) if io.kind() == io::ErrorKind::InvalidData => Reason::Tls,
        None => Reason::Tls,
        Some(io) if io.to_string().contains("lookup address") => Reason::UnknownHost,
        Some(_) => Reason::Closed,
    }
}

fn of_server(kind: ServerErrorKind, detail: &str) -> Reason {
    match kind {
        ServerErrorKind::NoPerm => Reason::NotPermitted,
        ServerErrorKind::BusyLoading => Reason::Loading,
        ServerErrorKind::Moved | ServerErrorKind::Ask => Reason::Moved,
        ServerErrorKind::ClusterDown => Reason::ClusterDown,
        ServerErrorKind::ResponseError if detail.contains("cluster support disabled") => {
            Reason::NoCluster
        }
        ServerErrorKind::ResponseError if detail.contains("unknown command") => Reason::Protocol,
        _ => Reason::Other,
    }
}

fn of_code(code: &str) -> Reason {
    match code {
        "WRONGPASS" | "NOAUTH" => Reason::Login,
        "NOPROTO" => Reason::Protocol,
        _ => Reason::Other,
    }
}
