//! Opens the store, the blob store and the broker: the shared ones that the settings name, otherwise the embedded ones
//! in the data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use crate::admission::shared_counts::SharedCounts;
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
use crate::store::coalescing::CoalescingStore;
use crate::store::measured::{MeasuredModeration, MeasuredStore};
use crate::store::mongo::{self, MongoStore};
use crate::store::sqlite::{self, SqliteStore};
use crate::store::{Moderation, Store};

/// The subfolder of the data folder that holds the images.
const BLOBS_FOLDER: &str = "images";
/// The subfolder of the data folder for images on their way into a bucket. Nodes that start with the same settings
/// share it.
const UPLOADS_FOLDER: &str = "uploads";

/// How long closing the backends may take. What was acknowledged is durable, closed or not.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(4);

/// Why a backend cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The database in the data folder cannot be opened.
    #[error(transparent)]
    Store(#[from] sqlite::OpenError),
    /// The shared database cannot be opened.
    #[error(transparent)]
    Mongo(#[from] mongo::OpenError),
    /// The images' folder cannot be opened.
    #[error(transparent)]
    Blobs(#[from] FolderError),
    /// The images' bucket cannot be opened.
    #[error(transparent)]
    S3(#[from] s3::OpenError),
    /// The connection to the broker cannot be set up.
    #[error(transparent)]
    Broker(#[from] RedisError),
}

/// The backends as the node uses them.
#[derive(Clone)]
pub struct Backends {
    /// Uploads and messages.
    pub store: Arc<dyn Store>,
    /// Reports, and what is blocked.
    pub moderation: Arc<dyn Moderation>,
    /// Image bytes.
    pub blobs: Arc<dyn Blobs>,
    /// Delivers frames between nodes.
    pub broker: Arc<dyn Broker>,
    /// Counters that the nodes share; `None` without other nodes.
    pub counts: Option<Arc<dyn SharedCounts>>,
    /// The folder for files before they are put into `blobs`.
    pub temp_dir: PathBuf,
    /// Cancelled when the node stops, which it does too if a task of a backend panics.
    pub stopping: CancellationToken,
}

/// Open backends, and what is needed to close them.
pub struct OpenBackends {
    /// The backends as the node uses them.
    pub backends: Backends,
    store: StoreBackend,
    blobs: BlobsBackend,
    broker: BrokerBackend,
}

/// The store by its type, which is needed to close it.
enum StoreBackend {
    Sqlite(Arc<SqliteStore>),
    Mongo(Arc<MongoStore>),
}

/// The blob store by its type, which is needed to close it.
enum BlobsBackend {
    Directory(Arc<DirectoryBlobs>),
    S3(Arc<S3Blobs>),
}

/// The broker by its type, which is needed to close it.
enum BrokerBackend {
    Memory(Arc<MemoryBroker>),
    Redis(Arc<RedisBroker>),
}

/// Opens the backends that the settings name.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(config: &Config, metrics: &Metrics) -> Result<OpenBackends, OpenError> {
    let stopping = CancellationToken::new();
    let store = open_store(config, &stopping).await?;
    let others = async {
        let blobs = open_blobs(config).await?;
        let broker = open_broker(config, metrics, &stopping).await?;
        Ok((blobs, broker))
    };
    let (blobs, broker) = match others.await {
        Ok(others) => others,
        Err(error) => {
            // Otherwise the driver's tasks log errors when the runtime ends.
            store.close().await;
            return Err(error);
        }
    };
    // Calls of the backends are measured; concurrent equal reads of the store share one call.
    let measured = MeasuredStore::new(store.shared(), metrics.store.clone());
    let backends = Backends {
        store: Arc::new(CoalescingStore::new(Arc::new(measured))),
        moderation: Arc::new(MeasuredModeration::new(
            store.moderation(),
            metrics.store.clone(),
        )),
        counts: broker.counts(),
        temp_dir: blobs.temp_dir().to_owned(),
        blobs: Arc::new(MeasuredBlobs::new(blobs.shared(), metrics.blobs.clone())),
        broker: Arc::new(MeasuredBroker::new(broker.shared(), metrics.broker.clone())),
        stopping,
    };
    Ok(OpenBackends {
        backends,
        store,
        blobs,
        broker,
    })
}

async fn open_store(
    config: &Config,
    stopping: &CancellationToken,
) -> Result<StoreBackend, OpenError> {
    if let Some(url) = &config.shared.mongo_url {
        let store = MongoStore::open(url).await?;
        return Ok(StoreBackend::Mongo(Arc::new(store)));
    }
    let stopping = stopping.clone();
    let open = move |folder: &Path| SqliteStore::open_for_node(folder, stopping);
    let store = blocking(&config.data_dir, open).await?;
    Ok(StoreBackend::Sqlite(Arc::new(store)))
}

async fn open_blobs(config: &Config) -> Result<BlobsBackend, OpenError> {
    if let Some(s3) = config.shared.s3() {
        let blobs = S3Blobs::open(s3, &config.data_dir.join(UPLOADS_FOLDER)).await?;
        return Ok(BlobsBackend::S3(Arc::new(blobs)));
    }
    let blobs = blocking(&config.data_dir.join(BLOBS_FOLDER), DirectoryBlobs::open).await?;
    Ok(BlobsBackend::Directory(Arc::new(blobs)))
}

async fn open_broker(
    config: &Config,
    metrics: &Metrics,
    stopping: &CancellationToken,
) -> Result<BrokerBackend, OpenError> {
    if let Some(url) = &config.shared.redis_url {
        let metrics = metrics.broker.clone();
        let broker = RedisBroker::open(url.expose(), metrics, stopping.clone()).await?;
        return Ok(BrokerBackend::Redis(Arc::new(broker)));
    }
    let broker = MemoryBroker::new(Arc::new(MemoryBus::default()));
    Ok(BrokerBackend::Memory(Arc::new(broker)))
}

async fn blocking<T: Send + 'static>(
    folder: &Path,
    open: impl FnOnce(&Path) -> T + Send + 'static,
) -> T {
    let folder = folder.to_owned();
    spawn_blocking(move || open(&folder))
        .await
        .expect("opening the storage does not panic, and the task is not aborted")
}

impl StoreBackend {
    fn shared(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::<SqliteStore>::clone(store),
            Self::Mongo(store) => Arc::<MongoStore>::clone(store),
        }
    }

    fn moderation(&self) -> Arc<dyn Moderation> {
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

impl BlobsBackend {
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

impl BrokerBackend {
    fn shared(&self) -> Arc<dyn Broker> {
        match self {
            Self::Memory(broker) => Arc::<MemoryBroker>::clone(broker),
            Self::Redis(broker) => Arc::<RedisBroker>::clone(broker),
        }
    }

    fn counts(&self) -> Option<Arc<dyn SharedCounts>> {
        match self {
            Self::Memory(_) => None,
            Self::Redis(broker) => Some(Arc::<RedisBroker>::clone(broker)),
        }
    }

    async fn close(self) {
        match self {
            Self::Memory(_) => {}
            Self::Redis(broker) => broker.close().await,
        }
    }
}

impl OpenBackends {
    /// Closes the connections, as far as that is possible in time. Call it when the node no longer serves.
    pub async fn close(self) {
        let closing = async {
            self.broker.close().await;
            self.store.close().await;
            self.blobs.close().await;
        };
        if timeout(CLOSE_TIMEOUT, closing).await.is_err() {
            tracing::warn!("the backends were not closed in time");
        }
    }
}
