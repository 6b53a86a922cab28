//! Smaller pictures of images. They are made when they are first asked for, so that nothing is spent on sizes that
//! nobody looks at, and are then stored beside the image for all nodes. Of what cannot be made smaller an empty one is
//! stored, so that it is tried only once.

mod download;
mod failures;
pub mod kinds;
mod outcome;
pub mod placeholder;

use std::collections::HashMap;
use std::fs::File;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::model::{ShortId, Upload};
use futures::future::{BoxFuture, Shared, ready};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, TryStreamExt};
use tempfile::TempPath;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use self::download::{download, unavailable};
use self::failures::Failures;
use self::kinds::{may_exist, spec_of};
use self::outcome::{Outcome, Picture, Resized};
use self::placeholder::Placeholder;
use super::deadline::Deadline;
use super::error::ApiError;
use super::metrics::HttpMetrics;
use crate::admission::rate_limit::RateLimits;
use crate::admission::slots::{Slot, Slots};
use crate::blob::file_stream::file_stream;
use crate::blob::{BlobError, Blobs, Derived};
use crate::image::{DecodePool, ImageError, Resizer};

/// The most pictures for clients that are being made or wait for it. One more is refused.
pub const MAX_RUNNING: usize = 64;
/// How many of them one client address may have. One more is refused.
pub const MAX_RUNNING_PER_ADDRESS: usize = 8;
/// The most placeholders that are being made or wait for it. They are made for no client, so they count against none's
/// limits. One more is made for a later page.
const MAX_RUNNING_PLACEHOLDERS: usize = 8;
/// How many pictures, placeholders too, have a copy of their image, of up to `TONESA_MAX_UPLOAD_BYTES`, in a temporary
/// file. Others wait: more than one address or all placeholders may have, so that none delays all.
const MAX_COPIES: usize = 2 * MAX_RUNNING_PER_ADDRESS;
/// The most addresses that wait for one picture's turn.
const MAX_WAITING_ADDRESSES: usize = 8;
/// How long a picture waits for its turn: shorter than an upload does, since a page shows the image itself instead.
const RESIZER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long storing a new picture may take. It is sent afterwards, stored or not.
const STORE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a page waits for its placeholder.
const PLACEHOLDER_TIMEOUT: Duration = Duration::from_millis(200);

/// Finds and makes smaller pictures. Clones share the limits.
#[derive(Clone)]
pub struct Pictures {
    blobs: Arc<dyn Blobs>,
    decoders: DecodePool,
    metrics: HttpMetrics,
    rate_limits: Arc<RateLimits>,
    /// Tracks the tasks that must end before the node does.
    tasks: TaskTracker,
    stopping: CancellationToken,
    slots: Slots,
    placeholder_slots: Slots,
    copies: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
}

/// The image and what is made of it.
type PictureId = (ShortId, Derived);

#[derive(Default)]
struct State {
    /// The pictures that are being made. Each has a slot.
    running: HashMap<PictureId, Running>,
    failures: Failures<PictureId, Result<Outcome, ApiError>>,
}

/// A picture that is being made.
struct Running {
    making: Making,
    /// Those on whose behalf it waits for its turn: the first [`MAX_WAITING_ADDRESSES`] addresses that have asked for
    /// it, or `None` if it is made for no client.
    addresses: watch::Sender<Vec<Option<IpAddr>>>,
}

/// The making of a picture, which all who ask for it meanwhile share.
type Making = Shared<BoxFuture<'static, Result<Outcome, ApiError>>>;

impl Pictures {
    /// Makes the pictures of these blobs, until the node stops.
    pub fn new(
        blobs: Arc<dyn Blobs>,
        decoders: DecodePool,
        metrics: HttpMetrics,
        rate_limits: Arc<RateLimits>,
        tasks: TaskTracker,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            blobs,
            decoders,
            metrics,
            rate_limits,
            tasks,
            stopping,
            slots: Slots::with_fair_shares(MAX_RUNNING, MAX_RUNNING_PER_ADDRESS),
            placeholder_slots: Slots::new(MAX_RUNNING_PLACEHOLDERS, MAX_RUNNING_PLACEHOLDERS),
            copies: Arc::new(Semaphore::new(MAX_COPIES)),
            state: Arc::default(),
        }
    }

    /// Returns the smaller picture, which is made if necessary on behalf of an address; `None` if the image itself is
    /// to be shown.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] when the address has asked for too many that had to be made;
    /// [`ApiError::Unavailable`] also when too many are being made, its turn does not come in time, or it has failed
    /// lately.
    pub async fn find(
        &self,
        upload: &Upload,
        derived: Derived,
        address: IpAddr,
    ) -> Result<Option<Picture>, ApiError> {
        let stored = || async {
            let stored = self.stored(upload.short_id, derived);
            Deadline::start().wait("blobs", stored).await
        };
        let found = match stored().await? {
            Some(picture) => Some(picture),
            None => match self.make(upload, derived, Some(address))?.await? {
                Outcome::AlreadyStored => stored().await?,
                Outcome::UseOriginal => None,
                Outcome::New(file, size) => {
                    let file = file.try_clone().map_err(|error| unavailable(&error))?;
                    let bytes = file_stream(file, 0..size);
                    Some(Picture { size, bytes })
                }
            },
        };
        Ok(found.filter(|picture| picture.size > 0))
    }

    /// Returns the placeholder of an upload's picture. If it was never made, that begins now, for later pages.
    pub async fn placeholder(&self, upload: &Upload) -> Placeholder {
        if !may_exist(Derived::Placeholder, &upload.content) {
            return Placeholder::None;
        }
        match timeout(PLACEHOLDER_TIMEOUT, self.read_placeholder(upload)).await {
            Ok(Ok(bytes)) => Placeholder::new(&bytes),
            Ok(Err(BlobError::NotFound)) => {
                self.begin_placeholder(upload);
                Placeholder::Expected
            }
            Ok(Err(_)) | Err(_) => Placeholder::None,
        }
    }

    /// Begins to make the placeholder of a picture, unless too many of them are being made or it has failed lately.
    pub fn begin_placeholder(&self, upload: &Upload) {
        if may_exist(Derived::Placeholder, &upload.content) {
            // A task of its own makes it.
            drop(self.make(upload, Derived::Placeholder, None));
        }
    }

    async fn read_placeholder(&self, upload: &Upload) -> Result<Vec<u8>, BlobError> {
        let read = self
            .blobs
            .read_derived(upload.short_id, Derived::Placeholder);
        let (_, chunks) = read.await?;
        let chunks: Vec<_> = chunks.try_collect().await?;
        Ok(chunks.concat())
    }

    async fn stored(&self, key: ShortId, derived: Derived) -> Result<Option<Picture>, BlobError> {
        match self.blobs.read_derived(key, derived).await {
            Ok((size, bytes)) => Ok(Some(Picture { size, bytes })),
            Err(BlobError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Begins to make a picture, or joins those who wait for it. It counts against the rate limit of each address that
    /// waits for its turn, and of none when it has failed lately and is not tried, or is made for no client. It is
    /// made and stored even if all who asked for it leave.
    fn make(
        &self,
        upload: &Upload,
        derived: Derived,
        address: Option<IpAddr>,
    ) -> Result<Making, ApiError> {
        let id = (upload.short_id, derived);
        let mut state = self.state();
        if let Some(answer) = state.failures.answer(&id, Instant::now()) {
            return Ok(ready(answer).boxed().shared());
        }
        if let Some(running) = state.running.get(&id) {
            let queues = {
                let addresses = running.addresses.borrow();
                addresses.len() < MAX_WAITING_ADDRESSES && !addresses.contains(&address)
            };
            if queues {
                self.take_rate(address)?;
                running.addresses.send_modify(|it| it.push(address));
            }
            return Ok(running.making.clone());
        }
        self.take_rate(address)?;
        let slots = match address {
            Some(_) => &self.slots,
            None => &self.placeholder_slots,
        };
        let slot = slots.take(address)?;
        let (addresses, waiting) = watch::channel(vec![address]);
        let job = Job {
            pictures: self.clone(),
            id,
            size: upload.content.size,
            addresses: waiting,
            _slot: slot,
        };
        let job = self.tasks.track_future(job.run()).in_current_span();
        let task = tokio::spawn(job);
        let making = async { task.await.unwrap_or(Err(ApiError::Internal)) };
        let making = making.boxed().shared();
        let running = Running {
            making: making.clone(),
            addresses,
        };
        state.running.insert(id, running);
        Ok(making)
    }

    fn take_rate(&self, address: Option<IpAddr>) -> Result<(), ApiError> {
        if let Some(address) = address {
            self.rate_limits.pictures.take(address)?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes one picture. Dropping it lets the next request try again.
struct Job {
    pictures: Pictures,
    id: PictureId,
    /// The image's size in bytes.
    size: u64,
    addresses: watch::Receiver<Vec<Option<IpAddr>>>,
    _slot: Slot,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.pictures.state().running.remove(&self.id);
    }
}

impl Job {
    async fn run(self) -> Result<Outcome, ApiError> {
        // A node that stops does not wait for it: it can be made again.
        let stopping = &self.pictures.stopping;
        let made = stopping.run_until_cancelled(self.make()).await;
        let made = made.unwrap_or(Err(ApiError::Unavailable));
        let label = match &made {
            Ok(Outcome::AlreadyStored) => return made,
            Ok(Outcome::UseOriginal) => "impossible",
            Ok(Outcome::New(..)) => "made",
            Err(_) => "failed",
        };
        // Placeholders, which nobody has asked for, would hide how the others fare.
        if self.id.1 != Derived::Placeholder {
            self.pictures.metrics.count_resized(label);
        }
        made
    }

    async fn make(&self) -> Result<Outcome, ApiError> {
        let (key, derived) = self.id;
        // Another request may have made it since it was looked for.
        if self.pictures.stored(key, derived).await?.is_some() {
            return Ok(Outcome::AlreadyStored);
        }
        let copy = self.pictures.copies.acquire().await;
        let _copy = copy.map_err(|_| ApiError::Unavailable)?;
        let pictures = &self.pictures;
        let image = download(pictures.blobs.as_ref(), key, self.size, &pictures.decoders);
        let made = match image.await {
            Ok(image) => match self.resize(image).await {
                Err(ImageError::Busy) => {
                    let answer = Err(ApiError::Unavailable);
                    let failures = &mut self.pictures.state().failures;
                    failures.add_busy(self.id, answer.clone(), Instant::now());
                    return answer;
                }
                made => self.store(made).await,
            },
            Err(error) => Err(error),
        };
        let is_stored = made.as_ref().is_ok_and(|resized| resized.is_stored);
        let made = made.map(|resized| resized.outcome);
        let failures = &mut self.pictures.state().failures;
        if is_stored {
            failures.remove(&self.id);
        } else {
            // The image itself is shown meanwhile: a remembered file would take room on the disk.
            let answer = made.clone().map(|_| Outcome::UseOriginal);
            failures.add(self.id, answer, Instant::now());
        }
        made
    }

    async fn resize(&self, image: TempPath) -> Result<TempPath, ImageError> {
        let resizer = self.resizer().await?;
        resizer.resize(image, spec_of(self.id.1)).await
    }

    /// Waits for the right to resize on behalf of each address that has asked for the picture, also of those that ask
    /// meanwhile: one with much other work must not delay it for the others.
    async fn resizer(&self) -> Result<Resizer, ImageError> {
        let decoders = &self.pictures.decoders;
        let mut addresses = self.addresses.clone();
        let mut waiting = FuturesUnordered::new();
        let mut asked = 0;
        loop {
            for address in &addresses.borrow_and_update()[asked..] {
                waiting.push(decoders.resizer(*address, RESIZER_TIMEOUT));
                asked += 1;
            }
            tokio::select! {
                resizer = waiting.next() => match resizer {
                    Some(Ok(resizer)) => return Ok(resizer),
                    Some(Err(_)) => {}
                    None => return Err(ImageError::Busy),
                },
                Ok(()) = addresses.changed() => {}
            }
        }
    }

    /// Stores the picture if possible, or an empty one when none can be made of this image.
    async fn store(&self, resized: Result<TempPath, ImageError>) -> Result<Resized, ApiError> {
        let pictures = &self.pictures;
        let (key, derived) = self.id;
        let picture = match resized {
            Err(ImageError::Unavailable | ImageError::Busy) => return Err(ApiError::Unavailable),
            // By the present limits, or on a busy machine: later it may be possible.
            Err(ImageError::TooLarge(_)) => return Ok(Resized::none_for_now()),
            Err(_) => pictures.decoders.create_temporary().await?,
            Ok(picture) => picture,
        };
        let file = File::open(&picture).map_err(|error| unavailable(&error))?;
        let size = file.metadata().map_err(|error| unavailable(&error))?.len();
        let put = pictures.blobs.put_derived(key, derived, picture);
        let is_stored = matches!(timeout(STORE_TIMEOUT, put).await, Ok(Ok(())));
        if !is_stored {
            tracing::warn!("a smaller picture could not be stored");
        }
        let outcome = if size == 0 {
            Outcome::UseOriginal
        } else {
            Outcome::New(Arc::new(file), size)
        };
        Ok(Resized { outcome, is_stored })
    }
}
