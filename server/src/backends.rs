//! Where a node keeps things: what nodes share where the settings name it, else embedded storage in its data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::blob::Blobs;
use crate::blob::directory::DirectoryBlobs;
use crate::blob::s3::{self, S3Blobs};
use crate::broker::memory::{MemoryBroker, MemoryBus};
use crate::config::{self, Config};
use crate::folder::FolderError;
use crate::metrics::Metrics;
use crate::state::Backends;
use crate::store::sqlite::{self, SqliteStore};

/// The folder of the images' bytes in the data folder.
const BLOBS: &str = "images";
/// The folder in the data folder for images on their way into a bucket. Nodes that start with the same settings share
/// it.
const UPLOADS: &str = "uploads";

/// Why the storage cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] sqlite::OpenError),
    /// The images' folder.
    #[error(transparent)]
    Blobs(#[from] FolderError),
    /// The images' bucket.
    #[error(transparent)]
    S3(#[from] s3::OpenError),
}

/// The storage of this process.
pub struct Opened {
    /// What the node uses.
    pub backends: Backends,
    store: Arc<SqliteStore>,
    s3: Option<Arc<S3Blobs>>,
}

/// Opens what the settings name.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(config: &Config, _metrics: &Arc<Metrics>) -> Result<Opened, OpenError> {
    let store = blocking(&config.data_dir, SqliteStore::open).await?;
    let store = Arc::new(store);
    let (blobs, temp_dir, s3) = match &config.shared.s3 {
        Some(s3) => open_bucket(s3, &config.data_dir).await?,
        None => open_folder(&config.data_dir).await?,
    };
    let backends = Backends {
        store: Arc::<SqliteStore>::clone(&store),
        blobs,
        broker: Arc::new(MemoryBroker::new(Arc::new(MemoryBus::default()))),
        temp_dir,
    };
    Ok(Opened {
        backends,
        store,
        s3,
    })
}

/// Image bytes, the folder for files on their way there, and the bucket where it is one.
type OpenedBlobs = (Arc<dyn Blobs>, PathBuf, Option<Arc<S3Blobs>>);

async fn open_bucket(s3: &config::S3, dir: &Path) -> Result<OpenedBlobs, OpenError> {
    let blobs = Arc::new(S3Blobs::open(s3, &dir.join(UPLOADS)).await?);
    let temp_dir = blobs.temp_dir().to_owned();
    Ok((Arc::<S3Blobs>::clone(&blobs), temp_dir, Some(blobs)))
}

async fn open_folder(dir: &Path) -> Result<OpenedBlobs, OpenError> {
    let blobs = blocking(&dir.join(BLOBS), DirectoryBlobs::open).await?;
    let temp_dir = blobs.temp_dir().to_owned();
    Ok((Arc::new(blobs), temp_dir, None))
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

impl Opened {
    /// Closes what has to be closed, after the node has left.
    pub async fn close(self) {
        self.store.close().await;
        if let Some(s3) = self.s3 {
            s3.close().await;
        }
    }
}
