//! Where a node keeps things, and how it talks to others: what nodes share where the settings name it, else embedded
//! storage in its data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::task::spawn_blocking;

use super::metrics::Metrics;
use crate::blob::Blobs;
use crate::blob::directory::DirectoryBlobs;
use crate::blob::measured::MeasuredBlobs;
use crate::blob::s3::{self, S3Blobs};
use crate::broker::Broker;
use crate::broker::measured::MeasuredBroker;
use crate::broker::memory::{MemoryBroker, MemoryBus};
use crate::broker::redis::{OpenError as RedisError, RedisBroker};
use crate::config::Config;
use crate::fs::folder::FolderError;
use crate::store::Store;
use crate::store::coalesced::Coalesced;
use crate::store::measured::MeasuredStore;
use crate::store::mongo::{self, MongoStore};
use crate::store::sqlite::{self, SqliteStore};

/// The folder of the images' bytes in the data folder.
const BLOBS: &str = "images";
/// The folder in the data folder for images on their way into a bucket. Nodes that start with the same settings share
/// it.
const UPLOADS: &str = "uploads";

/// Why a backend cannot be opened.
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
    /// The images' bucket.
    #[error(transparent)]
    S3(#[from] s3::OpenError),
    /// The broker.
    #[error(transparent)]
    Broker(#[from] RedisError),
}

/// Where a node keeps things, and how it talks to others.
#[derive(Clone)]
pub struct Backends {
    /// Uploads and messages.
    pub store: Arc<dyn Store>,
    /// Image bytes.
    pub blobs: Arc<dyn Blobs>,
    /// Frames between nodes.
    pub broker: Arc<dyn Broker>,
    /// The folder for files on their way into `blobs`.
    pub temp_dir: PathBuf,
}

/// The backends of this process.
pub struct Opened {
    /// What the node uses.
    pub backends: Backends,
    store: OpenStore,
    blobs: OpenBlobs,
    broker: OpenBroker,
}

/// The store, as what it has to be closed as.
enum OpenStore {
    Sqlite(Arc<SqliteStore>),
    Mongo(Arc<MongoStore>),
}

/// The images' bytes, as what they have to be closed as.
enum OpenBlobs {
    Directory(Arc<DirectoryBlobs>),
    S3(Arc<S3Blobs>),
}

/// The broker, as what it has to be closed as.
enum OpenBroker {
    Memory(Arc<MemoryBroker>),
    Redis(Arc<RedisBroker>),
}

/// Opens what the settings name.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(config: &Config, metrics: &Metrics) -> Result<Opened, OpenError> {
    let store = open_store(config).await?;
    let rest = async {
        let blobs = open_blobs(config).await?;
        let broker = open_broker(config, metrics).await?;
        Ok((blobs, broker))
    };
    let (blobs, broker) = match rest.await {
        Ok(rest) => rest,
        Err(error) => {
            // The driver's tasks complain about a runtime that ends under them.
            store.close().await;
            return Err(error);
        }
    };
    // They tell how they do, and are asked once for what several want to read at the same time.
    let measured = MeasuredStore::new(store.shared(), metrics.store.clone());
    let backends = Backends {
        store: Arc::new(Coalesced::new(Arc::new(measured))),
        temp_dir: blobs.temp_dir().to_owned(),
        blobs: Arc::new(MeasuredBlobs::new(blobs.shared(), metrics.blobs.clone())),
        broker: Arc::new(MeasuredBroker::new(broker.shared(), metrics.broker.clone())),
    };
    Ok(Opened {
        backends,
        store,
        blobs,
        broker,
    })
}

async fn open_store(config: &Config) -> Result<OpenStore, OpenError> {
    if let Some(url) = &config.shared.mongo_url {
        let store = MongoStore::open(url).await?;
        return Ok(OpenStore::Mongo(Arc::new(store)));
    }
    let store = blocking(&config.data_dir, SqliteStore::open).await?;
    Ok(OpenStore::Sqlite(Arc::new(store)))
}

async fn open_blobs(config: &Config) -> Result<OpenBlobs, OpenError> {
    if let Some(s3) = config.shared.s3() {
        let blobs = S3Blobs::open(s3, &config.data_dir.join(UPLOADS)).await?;
        return Ok(OpenBlobs::S3(Arc::new(blobs)));
    }
    let blobs = blocking(&config.data_dir.join(BLOBS), DirectoryBlobs::open).await?;
    Ok(OpenBlobs::Directory(Arc::new(blobs)))
}

async fn open_broker(config: &Config, metrics: &Metrics) -> Result<OpenBroker, OpenError> {
    if let Some(url) = &config.shared.redis_url {
        let broker = RedisBroker::open(url.expose(), metrics.broker.clone()).await?;
        return Ok(OpenBroker::Redis(Arc::new(broker)));
    }
    let broker = MemoryBroker::new(Arc::new(MemoryBus::default()));
    Ok(OpenBroker::Memory(Arc::new(broker)))
}

async fn blocking<T: Send + 'static>(
    folder: &Path,
    open: impl FnOnce(&Path) -> T + Send + 'static,
) -> T {
    let folder = folder.to_owned();
    spawn_blocking(move || open(&folder))
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

impl OpenBlobs {
    fn shared(&self) -> Arc<dyn Blobs> {
        match self {
            Self::Directory(blobs) => Arc::<DirectoryBlobs>::clone(blobs),
            Self::S3(blobs) => Arc::<S3Blobs>::clone(blobs),
        }
    }

    fn temp_dir(&self) -> &Path {
        match self {
            Self::Directory(blobs) => blobs.temp_dir(),
            Self::S3(blobs) => blobs.temp_dir(),
        }
    }

    async fn close(self) {
        match self {
            Self::Directory(_) => {}
            Self::S3(blobs) => blobs.close().await,
        }
    }
}

impl OpenBroker {
    fn shared(&self) -> Arc<dyn Broker> {
        match self {
            Self::Memory(broker) => Arc::<MemoryBroker>::clone(broker),
            Self::Redis(broker) => Arc::<RedisBroker>::clone(broker),
        }
    }

    async fn close(self) {
        match self {
            Self::Memory(_) => {}
            Self::Redis(broker) => broker.close().await,
        }
    }
}

impl Opened {
    /// Closes what has to be closed, after the node has left.
    pub async fn close(self) {
        self.broker.close().await;
        self.store.close().await;
        self.blobs.close().await;
    }
}
