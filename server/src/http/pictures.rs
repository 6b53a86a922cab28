//! Smaller pictures of images. They are made when they are first asked for, so that nothing is spent on sizes that nobody
//! looks at, and are then kept beside the image for all nodes. Of what cannot be made smaller an empty one is kept, so
//! that it is tried only once.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::model::{Content, ShortId, Upload};
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, TryStreamExt};
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::deadline::Deadline;
use super::error::ApiError;
use super::metrics::HttpMetrics;
use crate::admission::slots::{Slot, Slots};
use crate::blob::file_stream::file_stream;
use crate::blob::{BlobError, Blobs, ByteStream, Derived};
use crate::config::PictureSpec;
use crate::image::{DecodePool, ImageError};

/// The most pictures that are being made or wait for it. One more is refused.
pub const MAX_RUNNING: usize = 64;
/// How many of them one client address may have while there are no others.
pub const MAX_RUNNING_PER_ADDRESS: usize = 16;
/// How long a picture waits for a decoder: shorter than an upload does, since a page shows the image itself instead.
const DECODER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long reading the image from the blob store may take.
const READ_TIMEOUT: Duration = Duration::from_secs(15);
/// How long keeping a new picture may take. It is sent afterwards, kept or not.
const KEEP_TIMEOUT: Duration = Duration::from_secs(3);
/// The most bytes of a link preview: what all services that show one accept.
const PREVIEW_BYTES: u64 = 300_000;

/// Finds and makes smaller pictures. Clones share the limits.
#[derive(Clone)]
pub struct Pictures {
    blobs: Arc<dyn Blobs>,
    decoders: DecodePool,
    metrics: HttpMetrics,
    /// Tracks the tasks that must end before the node does.
    tasks: TaskTracker,
    slots: Slots,
    running: Arc<Mutex<Running>>,
}

/// The pictures that are being made: at most [`MAX_RUNNING`].
type Running = HashMap<(ShortId, Derived), Making>;

/// The making of a picture, which all who ask for it meanwhile share.
type Making = Shared<BoxFuture<'static, Result<Made, ApiError>>>;

/// What has become of making a picture.
#[derive(Clone)]
enum Made {
    /// It was there already.
    Kept,
    /// The image itself is to be shown.
    Impossible,
    /// Its bytes, and how many there are. The file may have no name any more.
    New(Arc<File>, u64),
}

/// A picture that was found.
pub struct Picture {
    /// How many bytes it has.
    pub size: u64,
    /// Its bytes.
    pub bytes: ByteStream,
}

impl Pictures {
    /// Makes the pictures of these blobs.
    pub fn new(
        blobs: Arc<dyn Blobs>,
        decoders: DecodePool,
        metrics: HttpMetrics,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            blobs,
            decoders,
            metrics,
            tasks,
            slots: Slots::with_fair_shares(MAX_RUNNING, MAX_RUNNING_PER_ADDRESS),
            running: Arc::default(),
        }
    }

    /// Returns the smaller picture, which is made if necessary on behalf of an address (from
    /// `ClientAddress::counted`); `None` if the image itself is to be shown.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] also when too many are being made, or no decoder is free in time.
    pub async fn find(
        &self,
        upload: &Upload,
        derived: Derived,
        address: IpAddr,
    ) -> Result<Option<Picture>, ApiError> {
        let kept = || async {
            let kept = self.kept(upload.short_id, derived);
            Deadline::start().wait("blobs", kept).await
        };
        let found = match kept().await? {
            Some(picture) => Some(picture),
            None => match self.make(upload, derived, address)?.await? {
                Made::Kept => kept().await?,
                Made::Impossible => None,
                Made::New(file, size) => {
                    let file = file.try_clone().map_err(|error| unavailable(&error))?;
                    let bytes = file_stream(file, 0..size);
                    Some(Picture { size, bytes })
                }
            },
        };
        Ok(found.filter(|picture| picture.size > 0))
    }

    async fn kept(&self, key: ShortId, derived: Derived) -> Result<Option<Picture>, BlobError> {
        match self.blobs.read_derived(key, derived).await {
            Ok((size, bytes)) => Ok(Some(Picture { size, bytes })),
            Err(BlobError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Begins to make a picture, or joins those who wait for it. It is made and kept even if they all leave.
    fn make(&self, upload: &Upload, derived: Derived, address: IpAddr) -> Result<Making, ApiError> {
        let id = (upload.short_id, derived);
        let mut running = self.running();
        if let Some(making) = running.get(&id) {
            return Ok(making.clone());
        }
        let slot = self.slots.take(Some(address));
        let job = Job {
            pictures: self.clone(),
            id,
            size: upload.content.size,
            address,
            _slot: slot.map_err(|_| ApiError::Unavailable)?,
        };
        let job = self.tasks.track_future(job.run()).in_current_span();
        let task = tokio::spawn(job);
        let making = async { task.await.unwrap_or(Err(ApiError::Internal)) };
        let making = making.boxed().shared();
        running.insert(id, making.clone());
        Ok(making)
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes one picture. Dropping it lets the next request try again.
struct Job {
    pictures: Pictures,
    id: (ShortId, Derived),
    /// The image's size in bytes.
    size: u64,
    address: IpAddr,
    _slot: Slot,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.pictures.running().remove(&self.id);
    }
}

impl Job {
    async fn run(self) -> Result<Made, ApiError> {
        let made = self.make().await;
        let outcome = match &made {
            Ok(Made::Kept) => return made,
            Ok(Made::Impossible) => "impossible",
            Ok(Made::New(..)) => "made",
            Err(_) => "failed",
        };
        self.pictures.metrics.count_resized(outcome);
        made
    }

    async fn make(&self) -> Result<Made, ApiError> {
        let Pictures {
            blobs, decoders, ..
        } = &self.pictures;
        let (key, derived) = self.id;
        // Another request may have made it since it was looked for.
        if self.pictures.kept(key, derived).await?.is_some() {
            return Ok(Made::Kept);
        }
        let decoder = decoders.decoder(self.address, DECODER_TIMEOUT).await?;
        let image = decoders.create_temporary().await?;
        match timeout(READ_TIMEOUT, self.copy(&image)).await {
            Ok(copied) => copied?,
            Err(_) => return Err(ApiError::Unavailable),
        }
        let picture = match decoder.resize(image, spec_of(derived)).await {
            Err(ImageError::Unavailable) => return Err(ApiError::Unavailable),
            // By the present limits, or on a busy machine: the next request tries again.
            Err(ImageError::TooLarge(_)) => return Ok(Made::Impossible),
            Err(_) => decoders.create_temporary().await?,
            Ok(picture) => picture,
        };
        let file = File::open(&picture).map_err(|error| unavailable(&error))?;
        let size = file.metadata().map_err(|error| unavailable(&error))?.len();
        let keep = blobs.put_derived(key, derived, picture);
        if !matches!(timeout(KEEP_TIMEOUT, keep).await, Ok(Ok(()))) {
            tracing::warn!(%key, "a smaller picture could not be kept");
        }
        Ok(if size == 0 {
            Made::Impossible
        } else {
            Made::New(Arc::new(file), size)
        })
    }

    /// Copies the image into a file.
    async fn copy(&self, into: &TempPath) -> Result<(), ApiError> {
        let mut bytes = self.pictures.blobs.read(self.id.0, 0..self.size).await?;
        let file = tokio::fs::File::create(into).await;
        let mut file = file.map_err(|error| unavailable(&error))?;
        while let Some(chunk) = bytes.try_next().await? {
            let written = file.write_all(&chunk).await;
            written.map_err(|error| unavailable(&error))?;
        }
        file.flush().await.map_err(|error| unavailable(&error))
    }
}

fn spec_of(derived: Derived) -> PictureSpec {
    let preview = PictureSpec::Preview {
        into: Content::PREVIEW_BOX,
        bytes: PREVIEW_BYTES,
    };
    derived.width().map_or(preview, PictureSpec::MaxWidth)
}

fn unavailable(error: &io::Error) -> ApiError {
    tracing::warn!(%error, "the temporary file of a smaller picture could not be read or written");
    ApiError::Unavailable
}
