//! Where a node keeps things, and how it talks to others: what the settings name, else what is embedded.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::blob::directory::DirectoryBlobs;
use crate::broker::memory::{MemoryBroker, MemoryBus};
use crate::broker::redis::{OpenError as BrokerOpenError, RedisBroker};
use crate::config::Config;
use crate::folder::FolderError;
use crate::metrics::Metrics;
use crate::state::Backends;
use crate::store::sqlite::{self, SqliteStore};

/// The folder of the images' bytes in the data folder.
const BLOBS: &str = "images";

/// Why the storage cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] sqlite::OpenError),
    /// The images' folder.
    #[error(transparent)]
    Blobs(#[from] FolderError),
    /// The broker.
    #[error(transparent)]
    Broker(#[from] BrokerOpenError),
}

/// The storage of this process.
pub struct Opened {
    /// What the node uses.
    pub backends: Backends,
    store: Arc<SqliteStore>,
    redis: Option<Arc<RedisBroker>>,
}

/// Opens what the settings name.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(config: &Config, metrics: &Arc<Metrics>) -> Result<Opened, OpenError> {
    let dir = config.data_dir.clone();
    let opened = spawn_blocking(move || open_embedded(&dir)).await;
    let mut opened = opened.expect("opening the storage does not panic, and nobody aborts it")?;
    if let Some(url) = &config.shared.redis_url {
        let redis = Arc::new(RedisBroker::open(url.expose(), metrics).await?);
        opened.backends.broker = Arc::<RedisBroker>::clone(&redis);
        opened.redis = Some(redis);
    }
    Ok(opened)
}

fn open_embedded(dir: &Path) -> Result<Opened, OpenError> {
    let store = Arc::new(SqliteStore::open(dir)?);
    let blobs = DirectoryBlobs::open(&dir.join(BLOBS))?;
    let temp_dir = blobs.temp_dir().to_owned();
    let backends = Backends {
        store: Arc::<SqliteStore>::clone(&store),
        blobs: Arc::new(blobs),
        broker: Arc::new(MemoryBroker::new(Arc::new(MemoryBus::default()))),
        temp_dir,
    };
    Ok(Opened {
        backends,
        store,
        redis: None,
    })
}

impl Opened {
    /// Closes what has to be closed, after the node has left.
    pub async fn close(self) {
        if let Some(redis) = self.redis {
            redis.close().await;
        }
        self.store.close().await;
    }
}
