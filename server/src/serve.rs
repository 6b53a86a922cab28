//! Listening, and leaving.

use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::time::Duration;

use axum_server::accept::Accept;
use axum_server::{Handle, Server};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

use crate::config::Config;
use crate::run::StartError;
use crate::state::AppState;
use crate::{metrics, routes};

/// How long a client may take to send a request's head, and how long it may keep a connection idle.
const HEAD: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
const WRITE_STALL: Duration = Duration::from_mins(1);
/// How much of a request's head is read, in bytes; more is answered 431.
const HEAD_BYTES: usize = 32 * 1024;
/// Connections that may wait to be accepted, if the system lets as many wait (Linux: `net.core.somaxconn`). After a
/// restart everyone comes back at once, and whoever finds no place tries again only after one second, then two more.
const BACKLOG: u32 = 16_384;
/// HTTP connections at once, beside the sockets. One more is closed as soon as it is accepted.
const MAX_CONNECTIONS: usize = 10_000;
/// How long requests may take to finish once the node stops; their connections are closed then.
const FINISH: Duration = Duration::from_secs(8);
/// The same for those who read metrics.
const FINISH_METRICS: Duration = Duration::from_secs(1);
/// When everything else is left behind: the process has to end within 10 s.
const LEAVE: Duration = Duration::from_secs(9);

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
    /// [`StartError::Listen`] and [`StartError::ListenForMetrics`].
    pub fn bind(config: &Config) -> Result<Self, StartError> {
        let address = config.bind;
        let public = listen(address);
        let public = public.map_err(|source| StartError::Listen { address, source })?;
        let metrics = match config.metrics_port {
            None => None,
            Some(port) => {
                let address = SocketAddr::new(address.ip(), port);
                let metrics = listen(address);
                Some(metrics.map_err(|source| StartError::ListenForMetrics { address, source })?)
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
    let server = server(listeners.public, &handle);
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
    let server = server(listener, &handle);
    let service = metrics::router(node.clone()).into_make_service();
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

fn server(listener: TcpListener, handle: &Handle<SocketAddr>) -> Server<SocketAddr, Admission> {
    let mut server = Server::<SocketAddr>::from_listener(listener)
        .first_request_timeout(HEAD)
        .accept_error_handler(|_, error| tracing::debug!(%error, "a connection was not accepted"))
        .acceptor(Admission(handle.clone()))
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
        .max_buf_size(HEAD_BYTES);
    builder
}

/// A connection that was let in.
pub type Accepted = Pin<Box<TimeoutStream<TcpStream>>>;

/// Lets connections in as long as there are not too many.
#[derive(Clone)]
struct Admission(Handle<SocketAddr>);

impl<S> Accept<TcpStream, S> for Admission {
    type Stream = Accepted;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        if self.0.connection_count() > MAX_CONNECTIONS {
            return ready(Err(io::Error::other("too many connections")));
        }
        // Frames and answers are small and written whole: waiting to fill a packet would only delay them.
        let stream = stream.set_nodelay(true).map(|()| {
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(WRITE_STALL));
            Box::pin(stream)
        });
        ready(stream.map(|stream| (stream, service)))
    }
}
