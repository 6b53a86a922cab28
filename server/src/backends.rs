//! Where a node keeps things: in what nodes share, as far as it is set, else in its data folder.

use std::sync::Arc;

use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::blob::directory::DirectoryBlobs;
use crate::broker::memory::{MemoryBroker, MemoryBus};
use crate::config::Config;
use crate::folder::FolderError;
use crate::metrics::Metrics;
use crate::state::Backends;
use crate::store::Store;
use crate::store::mongo::{self, MongoStore};
use crate::store::sqlite::{self, SqliteStore};

/// The folder of the images' bytes in the data folder.
const BLOBS: &str = "images";

/// Why the storage cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The database in the data folder.
    #[error(transparent)]
    Store(#[from] sqlite::OpenError),
    /// The database that nodes share.
    #[error(transparent)]
    Mongo(#[from] mongo::OpenError),
    /// The images' folder.
    #[error(transparent)]
    Blobs(#[from] FolderError),
}

/// The storage of this process.
pub struct Opened {
    /// What the node uses.
    pub backends: Backends,
    store: OpenStore,
}

/// The store, as what it has to be closed as.
enum OpenStore {
    Sqlite(Arc<SqliteStore>),
    Mongo(Arc<MongoStore>),
}

/// Opens what the settings name.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(config: &Config, _metrics: &Arc<Metrics>) -> Result<Opened, OpenError> {
    let store = open_store(config).await?;
    let folder = config.data_dir.join(BLOBS);
    let blobs = blocking(move || DirectoryBlobs::open(&folder)).await?;
    let temp_dir = blobs.temp_dir().to_owned();
    let backends = Backends {
        store: store.shared(),
        blobs: Arc::new(blobs),
        broker: Arc::new(MemoryBroker::new(Arc::new(MemoryBus::default()))),
        temp_dir,
    };
    Ok(Opened { backends, store })
}

async fn open_store(config: &Config) -> Result<OpenStore, OpenError> {
    if let Some(url) = &config.shared.mongo_url {
        let store = MongoStore::open(url).await?;
        return Ok(OpenStore::Mongo(Arc::new(store)));
    }
    let folder = config.data_dir.clone();
    let store = blocking(move || SqliteStore::open(&folder)).await?;
    Ok(OpenStore::Sqlite(Arc::new(store)))
}

async fn blocking<T: Send + 'static>(open: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(open)
        .await
        .expect("opening the storage does not panic, and nobody aborts it")
}

impl OpenStore {
    fn shared(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::<SqliteStore>::clone(store),
            Self::Mongo(store) => Arc::<MongoStore>::clone(store),
        }
    }

    async fn close(self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Mongo(store) => store.close().await,
        }
    }
}

impl Opened {
    /// Closes what has to be closed, after the node has left.
    pub async fn close(self) {
        self.store.close().await;
    }
}
