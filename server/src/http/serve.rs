//! Listening for connections, and serving them.

use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr};
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

use super::extract::request_info::ClientAddress;
use super::shutdown::drain;
use super::state::AppState;
use super::stream::ClientStream;
use super::{metrics_endpoint, routes};
use crate::admission::slots::{NoSlot, Slot, Slots};
use crate::config::Config;

/// How long a client may take to send the head of a request, and how long a connection may be idle.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest head of a request that is read, in bytes; a longer one is answered 431.
const MAX_HEADER_BYTES: usize = 32 * 1024;
/// Connections that may wait to be accepted, if the system allows as many (Linux: `net.core.somaxconn`). After a
/// restart all clients reconnect at once, and a client that finds the backlog full tries again only after one second,
/// then two more.
const BACKLOG: u32 = 16_384;
/// How many unsent bytes Linux buffers per connection. Without this bound it is up to 4 MiB for each client that reads
/// nothing. Bytes in flight are not bounded by it, so clients with a long round trip are not slowed down.
const MAX_UNSENT_BYTES: u32 = 64 * 1024;
/// The most connections for metrics.
const MAX_METRICS_CONNECTIONS: usize = 100;
/// How long requests for metrics may take to finish once the node stops.
const METRICS_DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the node cannot listen at an address.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The public address is in use, or is not this machine's.
    #[error("cannot listen at {address}: {source}. PORT and TONESA_BIND choose another address.")]
    Public {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The address for metrics cannot be used.
    #[error("cannot listen at {address} for metrics: {source}. METRICS_PORT chooses another port.")]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
}

/// Why a node stopped by itself.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Accepting connections fails permanently.
    #[error("cannot accept connections: {0}")]
    Accept(#[from] io::Error),
    /// A task panicked that the node cannot be without.
    #[error("a task of the node panicked, as the log says; start it anew")]
    TaskPanicked,
}

/// The sockets that a node listens on.
pub struct Listeners {
    /// For clients.
    pub public: TcpListener,
    /// For metrics, if the settings name a port for them.
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Binds the addresses that the settings name.
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
    // A restarted node can bind its port again at once. On Windows the option would let others share it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    let options = SockRef::from(&socket);
    // Accepted connections inherit these options. Frames and answers are written whole, so waiting to fill a packet
    // would only delay them.
    options.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    options.set_tcp_notsent_lowat(MAX_UNSENT_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` resolves, or a task panics that the node cannot be without. Then no more connections are
/// accepted, sockets are closed with "restarting", and requests and background tasks may finish until their deadlines.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(
    state: AppState,
    listeners: Listeners,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let handle = Handle::new();
    let server = server(
        listeners.public,
        &handle,
        ConnectionAcceptor::of(&state.config),
    );
    if let Some(listener) = listeners.metrics {
        state.tasks.spawn(serve_metrics(state.clone(), listener));
    }
    let service = routes::router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let mut serving = pin!(server.serve(service));
    let has_panicked = tokio::select! {
        biased;
        () = state.stopping.cancelled() => true,
        failed = &mut serving => return failed.map_err(ServeError::from),
        () = shutdown => false,
    };
    drain(&state, &handle, serving).await?;
    if has_panicked {
        return Err(ServeError::TaskPanicked);
    }
    Ok(())
}

/// Serves metrics until the node stops.
async fn serve_metrics(state: AppState, listener: TcpListener) {
    let handle = Handle::new();
    let acceptor = ConnectionAcceptor {
        slots: Slots::new(MAX_METRICS_CONNECTIONS, MAX_METRICS_CONNECTIONS),
        trusted: Arc::new([]),
    };
    let server = server(listener, &handle, acceptor);
    let service = metrics_endpoint::router(Arc::clone(&state.registry)).into_make_service();
    let mut serving = pin!(server.serve(service));
    let end = tokio::select! {
        failed = &mut serving => failed,
        () = state.stopping.cancelled() => {
            handle.graceful_shutdown(Some(METRICS_DRAIN_TIMEOUT));
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
    acceptor: ConnectionAcceptor,
) -> Server<SocketAddr, ConnectionAcceptor> {
    let mut server = Server::<SocketAddr>::from_listener(listener)
        .first_request_timeout(HEADER_READ_TIMEOUT)
        .accept_error_handler(|_, error| tracing::debug!(%error, "a connection was not accepted"))
        .acceptor(acceptor)
        .handle(handle.clone());
    *server.http_builder() = http1();
    server
}

/// HTTP/1.1 only, the version with WebSocket upgrades; a proxy in front may speak others.
fn http1() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        // A client may close its side after the request and wait for the answer (RFC 9112, section 9.6). A client that
        // is gone looks the same until it is answered.
        .half_close(true)
        .max_buf_size(MAX_HEADER_BYTES);
    builder
}

/// Accepts connections up to the limits: one more is closed as soon as it is accepted. Sockets have limits of their
/// own.
#[derive(Clone)]
struct ConnectionAcceptor {
    slots: Slots,
    /// Proxies, whose connections carry many clients and are not counted by address.
    trusted: Arc<[IpNet]>,
}

impl ConnectionAcceptor {
    fn of(config: &Config) -> Self {
        let limits = config.limits;
        Self {
            slots: Slots::with_fair_shares(limits.connections, limits.connections_per_address),
            trusted: config.trusted_proxies.as_slice().into(),
        }
    }

    fn admit(&self, stream: TcpStream) -> io::Result<ClientStream> {
        let slot = self.take_slot(stream.peer_addr()?.ip());
        Ok(ClientStream::new(stream, slot.map_err(io::Error::other)?))
    }

    fn take_slot(&self, peer: IpAddr) -> Result<Slot, NoSlot> {
        let peer = ClientAddress::from(peer);
        let address = (!peer.is_in(&self.trusted)).then(|| peer.rate_limit_key());
        self.slots.take(address)
    }
}

impl<S> Accept<TcpStream, S> for ConnectionAcceptor {
    type Stream = ClientStream;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.admit(stream).map(|stream| (stream, service)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_an_ipv6_network_are_counted_together() {
        let acceptor = ConnectionAcceptor {
            slots: Slots::new(10, 2),
            trusted: Arc::new(["fd00::/8".parse().unwrap()]),
        };
        let connect = |peer: &str| acceptor.take_slot(peer.parse().unwrap());
        let held = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2"].map(|peer| connect(peer).unwrap());
        assert_eq!(connect("2001:db8:0:1::3").err(), Some(NoSlot::Address));
        assert!(connect("2001:db8:0:2::1").is_ok());
        drop(held);
        assert!(connect("2001:db8:0:1::3").is_ok());
        let _of_a_proxy = [(); 5].map(|()| connect("fd00::1").unwrap());
    }
}
