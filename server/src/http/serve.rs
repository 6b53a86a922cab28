//! Listening, and leaving.

use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum_server::accept::Accept;
use axum_server::{Handle, Server};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use ipnet::IpNet;
use socket2::SockRef;
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::extract::client_address::ClientAddress;
use super::state::AppState;
use super::stream::Accepted;
use super::{metrics_endpoint, routes};
use crate::admission::slots::Slots;
use crate::config::Config;

/// How long a client may take to send a request's head, and how long it may keep a connection idle.
const HEAD: Duration = Duration::from_secs(10);
/// How much of a request's head is read, in bytes; more is answered 431.
const HEAD_BYTES: usize = 32 * 1024;
/// Connections that may wait to be accepted, if the system lets as many wait (Linux: `net.core.somaxconn`). After a
/// restart everyone comes back at once, and whoever finds no place tries again only after one second, then two more.
const BACKLOG: u32 = 16_384;
/// What Linux keeps of an answer or of frames before it is on its way to the client, in bytes. Without this bound
/// it is up to 4 MiB for each client that takes nothing; what is on its way has no other bound, so far readers lose
/// nothing.
const UNSENT_BYTES: u32 = 64 * 1024;
/// Connections of those who read metrics, at once.
const METRICS_CONNECTIONS: usize = 100;
/// How long requests may take to finish once the node stops; their connections are closed then.
const FINISH: Duration = Duration::from_secs(8);
/// The same for those who read metrics.
const FINISH_METRICS: Duration = Duration::from_secs(1);
/// When everything else is left behind: the process has to end within 10 s.
const LEAVE: Duration = Duration::from_secs(9);

/// Why an address cannot be listened at.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The address is taken or not this machine's.
    #[error("cannot listen at {address}: {source}. PORT and TONESA_BIND choose another address.")]
    Public {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address of the metrics is taken.
    #[error("cannot listen at {address} for metrics: {source}. METRICS_PORT chooses another port.")]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Where a node listens.
pub struct Listeners {
    /// For everyone.
    pub public: TcpListener,
    /// For whoever collects metrics, if the node was told to have a port for them.
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Takes the addresses that the settings name.
    ///
    /// # Errors
    /// [`ListenError::Public`] and [`ListenError::Metrics`].
    pub fn bind(config: &Config) -> Result<Self, ListenError> {
        let address = config.address();
        let public = listen(address);
        let public = public.map_err(|source| ListenError::Public { address, source })?;
        let metrics = match config.metrics_port {
            None => None,
            Some(port) => {
                let address = SocketAddr::new(address.ip(), port);
                let metrics = listen(address);
                Some(metrics.map_err(|source| ListenError::Metrics { address, source })?)
            }
        };
        Ok(Self { public, metrics })
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A node that restarts takes its port again at once. Windows would share it with others instead.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    let options = SockRef::from(&socket);
    // Accepted connections inherit these. Frames and answers are small and written whole: waiting to fill a packet would
    // only delay them.
    options.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    options.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown`: then no connection is accepted any more, sockets are told to come back elsewhere, requests
/// finish, and what runs beside them ends.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    node: AppState,
    listeners: Listeners,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let handle = Handle::new();
    let server = server(listeners.public, &handle, Admission::of(&node.config));
    if let Some(listener) = listeners.metrics {
        node.tasks.spawn(serve_metrics(node.clone(), listener));
    }
    let service = routes::router(node.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let mut serving = pin!(server.serve(service));
    tokio::select! {
        failed = &mut serving => return failed,
        () = shutdown => {}
    }
    tracing::info!("stopping");
    node.stopping.cancel();
    node.tasks.close();
    handle.graceful_shutdown(Some(FINISH));
    let left = timeout(LEAVE, async {
        let outcome = serving.await;
        node.tasks.wait().await;
        outcome
    });
    left.await.unwrap_or_else(|_| {
        let (tasks, connections) = (node.tasks.len(), handle.connection_count());
        tracing::warn!(tasks, connections, "some work was left unfinished");
        Ok(())
    })
}

/// Serves metrics until the node stops.
async fn serve_metrics(node: AppState, listener: TcpListener) {
    let handle = Handle::new();
    let admission = Admission {
        slots: Slots::new(METRICS_CONNECTIONS, METRICS_CONNECTIONS),
        trusted: Arc::new([]),
    };
    let server = server(listener, &handle, admission);
    let service = metrics_endpoint::router(Arc::clone(&node.registry)).into_make_service();
    let mut serving = pin!(server.serve(service));
    let end = tokio::select! {
        failed = &mut serving => failed,
        () = node.stopping.cancelled() => {
            handle.graceful_shutdown(Some(FINISH_METRICS));
            serving.await
        }
    };
    if let Err(error) = end {
        tracing::error!(%error, "metrics are no longer served");
    }
}

fn server(
    listener: TcpListener,
    handle: &Handle<SocketAddr>,
    admission: Admission,
) -> Server<SocketAddr, Admission> {
    let mut server = Server::<SocketAddr>::from_listener(listener)
        .first_request_timeout(HEAD)
        .accept_error_handler(|_, error| tracing::debug!(%error, "a connection was not accepted"))
        .acceptor(admission)
        .handle(handle.clone());
    *server.http_builder() = http1();
    server
}

/// HTTP/1.1, the only version with upgrades to sockets; a proxy in front speaks the others.
fn http1() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        // A client that has sent its request may close its side and wait for the answer (RFC 9112, section 9.6). One
        // that is gone looks the same until it is answered.
        .half_close(true)
        .max_buf_size(HEAD_BYTES);
    builder
}

/// Lets connections in as long as there are places: one more is closed as soon as it is accepted. Sockets have places of
/// their own.
#[derive(Clone)]
struct Admission {
    slots: Slots,
    /// Whose connections are those of many clients, and not counted by address.
    trusted: Arc<[IpNet]>,
}

impl Admission {
    fn of(config: &Config) -> Self {
        let limits = config.limits;
        Self {
            slots: Slots::with_fair_shares(limits.connections, limits.connections_per_address),
            trusted: config.trusted_proxies.as_slice().into(),
        }
    }

    fn let_in(&self, stream: TcpStream) -> io::Result<Accepted> {
        let peer = ClientAddress::from(stream.peer_addr()?.ip());
        let address = (!peer.is_in(&self.trusted)).then(|| peer.counted());
        let slot = self.slots.take(address).map_err(io::Error::other)?;
        Ok(Accepted::new(stream, slot))
    }
}

impl<S> Accept<TcpStream, S> for Admission {
    type Stream = Accepted;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.let_in(stream).map(|stream| (stream, service)))
    }
}
