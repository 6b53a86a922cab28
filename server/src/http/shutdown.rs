//! The orderly end of a node: no more connections, then the requests and tasks under way, until a deadline.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum_server::Handle;
use tokio::time::timeout;

use super::state::AppState;

/// How long requests may take to finish once the node stops; their connections are then closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);
/// When the rest is abandoned: the process has to end within 10 s.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(9);

/// Stops accepting connections, lets sockets and background tasks close, and waits for them and for `serving`.
pub(super) async fn drain(
    state: &AppState,
    handle: &Handle<SocketAddr>,
    serving: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    tracing::info!("stopping");
    state.stopping.cancel();
    state.tasks.close();
    handle.graceful_shutdown(Some(DRAIN_TIMEOUT));
    let finished = timeout(SHUTDOWN_DEADLINE, async {
        let outcome = serving.await;
        state.tasks.wait().await;
        outcome
    });
    finished.await.unwrap_or_else(|_| {
        let (tasks, connections) = (state.tasks.len(), handle.connection_count());
        tracing::warn!(
            tasks,
            connections,
            "some work was abandoned at the shutdown deadline"
        );
        Ok(())
    })
}
