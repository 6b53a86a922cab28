//! Limits how many images are checked and resized at the same time: by upload slots, by turns that client addresses
//! share fairly, and by memory.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::{NamedTempFile, TempPath};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::child::process::{DecoderProcess, Job};
use super::child::rlimits::CHILD_MEMORY;
use super::error::ImageError;
use super::inspect::Inspected;
use super::limits::{IMAGE_MEMORY, MIB};
use crate::admission::fair_semaphore::{FairPermit, FairSemaphore};
use crate::admission::slots::{NoSlot, Slot, Slots};
use crate::config::{ImageLimits, PictureSpec};

/// The most images that are checked at the same time.
pub const MAX_CHECKS: usize = 2;

/// The most images that are resized at the same time. They take no turn of an upload, since resizing takes ten times as
/// long as checking; an upload waits for them only when the memory that it needs is in use.
const MAX_RESIZES: usize = 2;

/// How often an image that is to be resized looks whether its memory is free.
const MEMORY_POLL: Duration = Duration::from_millis(20);

/// The most concurrent uploads, from a file's first byte until it is stored or refused; each may have two temporary
/// files. One more is refused before its body is read.
pub const MAX_UPLOADS: usize = 128;

/// How many of them one client address may have while there are no others.
pub const MAX_UPLOADS_PER_ADDRESS: usize = 15;

/// How long an image waits to be checked: longer than checking another one takes, since two checks may just have
/// begun. After that it fails with [`ImageError::Busy`], so that the client tries again later.
pub const DECODE_WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// The memory of all processes that check and resize images, in bytes.
pub const POOL_MEMORY: u64 = 448 * MIB;

/// The part of it for decoders, by their images' headers.
const DECODER_MEMORY: u64 = POOL_MEMORY - (MAX_CHECKS + MAX_RESIZES) as u64 * CHILD_MEMORY;

// Otherwise the largest image would wait forever.
const _: () = assert!(IMAGE_MEMORY <= DECODER_MEMORY);

/// Receives how much time checking an image of an address took.
type OnTimeSpent = dyn Fn(IpAddr, Duration) + Send + Sync;

/// Checks and resizes images in processes of their own. Clones share the limits.
#[derive(Clone)]
pub struct DecodePool {
    program: Arc<Path>,
    directory: Arc<Path>,
    limits: ImageLimits,
    wait_timeout: Duration,
    on_time_spent: Arc<OnTimeSpent>,
    slots: Slots,
    checkers: FairSemaphore,
    resizers: FairSemaphore,
    memory: Arc<Semaphore>,
}

/// The right to upload one image, until it is dropped. Covers temporary files and waiting to be checked.
pub struct UploadSlot {
    address: IpAddr,
    _slot: Slot,
}

impl DecodePool {
    /// Creates a pool. It starts `program`, which is this program, for each image, and writes results into `directory`,
    /// which must exist. It is the blob store's, so that the results can be renamed to blobs.
    pub fn new(program: PathBuf, directory: PathBuf, limits: ImageLimits) -> Self {
        Self {
            program: program.into(),
            directory: directory.into(),
            limits,
            wait_timeout: DECODE_WAIT_TIMEOUT,
            on_time_spent: Arc::new(|_, _| {}),
            slots: Slots::with_fair_shares(MAX_UPLOADS, MAX_UPLOADS_PER_ADDRESS),
            checkers: FairSemaphore::new(MAX_CHECKS),
            resizers: FairSemaphore::new(MAX_RESIZES),
            memory: Arc::new(Semaphore::new(mebibytes(DECODER_MEMORY) as usize)),
        }
    }

    /// Changes how long an image waits to be checked.
    #[must_use]
    pub fn with_wait_timeout(self, wait_timeout: Duration) -> Self {
        Self {
            wait_timeout,
            ..self
        }
    }

    /// Sets a function that receives how long each check took, without waiting, and for which address, also if it
    /// failed or was cancelled. It is called twice per image.
    #[must_use]
    pub fn on_time_spent(self, call: impl Fn(IpAddr, Duration) + Send + Sync + 'static) -> Self {
        let on_time_spent = Arc::new(call);
        Self {
            on_time_spent,
            ..self
        }
    }

    /// Returns the number of uploads under way.
    pub fn uploads(&self) -> usize {
        self.slots.taken()
    }

    /// Returns the number of images being checked or resized.
    pub fn decoding(&self) -> usize {
        self.checkers.held() + self.resizers.held()
    }

    /// Returns the number of uploaded images that wait to be checked.
    pub fn waiting(&self) -> usize {
        self.checkers.waiting()
    }

    /// Returns the number of turns that smaller pictures wait for: one for each address on whose behalf one waits.
    pub fn resizes_waiting(&self) -> usize {
        self.resizers.waiting()
    }

    /// Takes an upload slot for an address.
    ///
    /// # Errors
    /// [`NoSlot`] when no slot is free.
    pub fn upload_slot(&self, address: IpAddr) -> Result<UploadSlot, NoSlot> {
        let slot = self.slots.take(Some(address))?;
        Ok(UploadSlot {
            address,
            _slot: slot,
        })
    }

    /// Checks the file, and returns the file to be served as a new one, which is not synced yet.
    ///
    /// Dropping the future while it waits leaves the queue. Dropping it later kills the process, which keeps its permit
    /// until it has ended. In both cases `input` and the new file are removed.
    ///
    /// # Errors
    /// See [`ImageError`]; [`ImageError::Busy`] after [`DECODE_WAIT_TIMEOUT`].
    pub async fn inspect(
        &self,
        slot: &UploadSlot,
        input: TempPath,
    ) -> Result<(Inspected, TempPath), ImageError> {
        let deadline = Instant::now() + self.wait_timeout;
        let permit = timeout_at(deadline, self.checkers.acquire(Some(slot.address))).await;
        let check = Check {
            permit: permit.map_err(|_| ImageError::Busy)?,
            address: slot.address,
            input,
            deadline,
            memory: None,
        };
        let cancelled = CancellationToken::new();
        let _guard = cancelled.clone().drop_guard();
        let checking = check.run(self.clone(), cancelled).in_current_span();
        let checked = tokio::spawn(checking).await;
        checked.unwrap_or(Err(ImageError::Unavailable))
    }

    /// Creates an empty file where the pool writes its own.
    ///
    /// # Errors
    /// [`ImageError::Unavailable`].
    pub async fn create_temporary(&self) -> Result<TempPath, ImageError> {
        create_temporary(Arc::clone(&self.directory)).await
    }

    /// Waits for the right to resize an image, on behalf of an address, or of none.
    ///
    /// # Errors
    /// [`ImageError::Busy`] when it is not free in time.
    pub async fn resizer(
        &self,
        address: Option<IpAddr>,
        wait: Duration,
    ) -> Result<Resizer, ImageError> {
        let deadline = Instant::now() + wait;
        let permit = timeout_at(deadline, self.resizers.acquire(address)).await;
        Ok(Resizer {
            pool: self.clone(),
            deadline,
            permit: permit.map_err(|_| ImageError::Busy)?,
        })
    }

    /// Reserves the memory of a process. Those who wait here have their turn but no memory, so there is no deadlock.
    async fn reserve(
        &self,
        bytes: u64,
        deadline: Instant,
    ) -> Result<OwnedSemaphorePermit, ImageError> {
        let memory = Arc::clone(&self.memory).acquire_many_owned(mebibytes(bytes));
        match timeout_at(deadline, memory).await {
            Ok(Ok(memory)) => Ok(memory),
            Ok(Err(_)) | Err(_) => Err(ImageError::Busy),
        }
    }

    /// Reserves the memory of a process that resizes, once it is free. It takes no place in the queue of those who
    /// check: a picture that needs much would hold up uploads that need little.
    async fn reserve_outside_queue(
        &self,
        bytes: u64,
        deadline: Instant,
    ) -> Result<OwnedSemaphorePermit, ImageError> {
        loop {
            match Arc::clone(&self.memory).try_acquire_many_owned(mebibytes(bytes)) {
                Ok(memory) => return Ok(memory),
                Err(TryAcquireError::NoPermits) if Instant::now() < deadline => {
                    sleep(MEMORY_POLL).await;
                }
                Err(_) => return Err(ImageError::Busy),
            }
        }
    }

    /// Charges the duration of a step to the address.
    async fn charge<T>(&self, address: IpAddr, step: impl Future<Output = T>) -> T {
        let _guard = ChargeGuard {
            pool: self,
            address,
            since: Instant::now(),
        };
        step.await
    }
}

/// The check of one image that has its turn.
struct Check {
    address: IpAddr,
    input: TempPath,
    /// When it stops waiting.
    deadline: Instant,
    memory: Option<OwnedSemaphorePermit>,
    permit: FairPermit,
}

impl Check {
    /// Ends early when the caller is dropped.
    async fn run(
        mut self,
        pool: DecodePool,
        cancelled: CancellationToken,
    ) -> Result<(Inspected, TempPath), ImageError> {
        let output = pool.create_temporary().await?;
        let job = Job {
            input: &self.input,
            output: &output,
            spec: None,
        };
        let mut process = DecoderProcess::start(&pool.program, job, &pool.limits)?;
        let result = cancelled.run_until_cancelled(self.inspect_in(&pool, &mut process));
        let inspected = result.await.unwrap_or(Err(ImageError::Unavailable));
        process.end().await;
        let Self {
            input,
            permit,
            memory,
            ..
        } = self;
        drop((permit, memory));
        drop(spawn_blocking(move || drop(input)).await);
        Ok((inspected?, output))
    }

    async fn inspect_in(
        &mut self,
        pool: &DecodePool,
        process: &mut DecoderProcess,
    ) -> Result<Inspected, ImageError> {
        let headers = pool.charge(self.address, process.read_headers()).await?;
        self.memory = Some(pool.reserve(headers.memory, self.deadline).await?);
        pool.charge(self.address, process.read_inspected()).await
    }
}

/// The right to resize one image, until it is dropped.
pub struct Resizer {
    pool: DecodePool,
    deadline: Instant,
    permit: FairPermit,
}

impl Resizer {
    /// Makes a smaller picture, and returns it as a new file, which is not synced yet. Dropping the future kills the
    /// process.
    ///
    /// # Errors
    /// [`ImageError::Unavailable`] and [`ImageError::Busy`] when it may work later. Any other error means that none can be
    /// made of this image.
    pub async fn resize(self, input: TempPath, spec: PictureSpec) -> Result<TempPath, ImageError> {
        let output = self.pool.create_temporary().await?;
        let Self {
            pool,
            deadline,
            permit,
        } = self;
        let job = Job {
            input: &input,
            output: &output,
            spec: Some(spec),
        };
        // Dropped after the process.
        let mut memory = None;
        let mut process = DecoderProcess::start(&pool.program, job, &pool.limits)?;
        let resizing = async {
            let headers = process.read_headers().await?;
            memory = Some(pool.reserve_outside_queue(headers.memory, deadline).await?);
            process.read_resized().await
        };
        let resized = resizing.await;
        process.end().await;
        drop((permit, memory));
        drop(spawn_blocking(move || drop(input)).await);
        resized.map(|()| output)
    }
}

/// Reports the duration when it is dropped.
struct ChargeGuard<'a> {
    pool: &'a DecodePool,
    address: IpAddr,
    since: Instant,
}

impl Drop for ChargeGuard<'_> {
    fn drop(&mut self) {
        (self.pool.on_time_spent)(self.address, self.since.elapsed());
    }
}

async fn create_temporary(directory: Arc<Path>) -> Result<TempPath, ImageError> {
    let created = spawn_blocking(move || NamedTempFile::new_in(directory)).await;
    match created.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(file) => Ok(file.into_temp_path()),
        Err(error) => {
            tracing::warn!(%error, "a temporary file for an image could not be created");
            Err(ImageError::Unavailable)
        }
    }
}

/// Converts to mebibytes, rounded up, at least one.
fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MIB).max(1)).unwrap_or(u32::MAX)
}
