//! Runs a node: opens its backends, serves, and shuts down.

use std::io;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

use super::backends::{self, Backends, OpenError};
use super::metrics::Metrics;
use super::node;
use crate::broker::redis::OpenError as RedisError;
use crate::config::{Config, Limits};
use crate::http::assets::{Site, SiteError};
use crate::http::serve::{ListenError, Listeners, ServeError, serve};
use crate::store::mongo;

/// Open files other than those of clients: uploads under way, the database, connections to backends.
const OTHER_OPEN_FILES: usize = 1_000;

/// Why a node did not start, or stopped by itself.
#[derive(Debug, Error)]
pub enum StartError {
    /// The packaged files cannot be loaded.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The backends cannot be opened.
    #[error(transparent)]
    Backends(#[from] OpenError),
    /// The node cannot listen at an address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The node was serving, and stopped by itself.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The operating system refused something that every node needs.
    #[error("cannot run: {0}")]
    System(#[from] io::Error),
}

impl StartError {
    /// Whether a setting has a value that is not understood, so that starting again does not help.
    pub fn is_wrong_setting(&self) -> bool {
        let Self::Backends(error) = self else {
            return false;
        };
        matches!(
            error,
            OpenError::Mongo(mongo::OpenError::Url) | OpenError::Broker(RedisError::Url(_))
        )
    }
}

/// Runs a node until the process receives SIGTERM or SIGINT, or one of the node's own tasks panics.
///
/// # Errors
/// See [`StartError`].
pub async fn run(config: Config) -> Result<(), StartError> {
    let shutdown = shutdown_signal()?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let site = Site::load(&config.site_dir)?;
    let metrics = Metrics::default();
    let opened = backends::open(&config, &metrics).await?;
    let result = serve_with(config, site, opened.backends.clone(), metrics, shutdown).await;
    opened.close().await;
    result?;
    tracing::info!("stopped");
    Ok(())
}

async fn serve_with(
    config: Config,
    site: Site,
    backends: Backends,
    metrics: Metrics,
    shutdown: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let listeners = Listeners::bind(&config)?;
    raise_open_file_limit(&config.limits);
    let address = listeners.public.local_addr()?;
    if let Some(metrics) = &listeners.metrics {
        let metrics = metrics.local_addr()?;
        tracing::info!(%metrics, "metrics at http://{metrics}/metrics");
    }
    let (node, _) = node::start(config, site, backends, metrics);
    tracing::info!(%address, "serving at http://{address}");
    Ok(serve(node, listeners, shutdown).await?)
}

/// Returns a future that resolves on SIGTERM or SIGINT. From this call on these signals no longer kill the process.
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Raises the soft limit of open files, which is usually 1,024: each socket is an open file.
fn raise_open_file_limit(limits: &Limits) {
    let needed = files_needed(limits);
    match rlimit::increase_nofile_limit(rlimit::INFINITY) {
        Ok(allowed) if allowed < needed => tracing::warn!(
            allowed,
            needed,
            "the hard limit of open files allows fewer than TONESA_MAX_SOCKETS and TONESA_MAX_CONNECTIONS need: \
             raise it (ulimit -Hn, LimitNOFILE=), or lower these"
        ),
        Ok(allowed) => tracing::debug!(allowed, needed, "open files allowed"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

/// A socket takes one open file, any other connection two while it is sent an image.
fn files_needed(limits: &Limits) -> u64 {
    let files = limits.sockets + 2 * limits.connections + OTHER_OPEN_FILES;
    u64::try_from(files).unwrap_or(u64::MAX)
}
