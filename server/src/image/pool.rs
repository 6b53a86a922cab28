//! Who may be checked when: places for uploads, two decoders that addresses share fairly, and a total of memory.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::{NamedTempFile, TempPath};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::child::process::DecoderProcess;
use super::child::rlimits::CHILD_MEMORY;
use super::error::ImageError;
use super::fair::{FairQueue, Turn};
use super::inspect::Inspected;
use super::limits::{MIB, PICTURE_MEMORY};
use crate::admission::slots::{NoSlot, Slot, Slots};
use crate::config::ImageLimits;

/// Pictures that are decoded at the same time.
pub const DECODES: usize = 2;

/// Uploads under way at once, from the first byte of a file until it is kept or refused: as many temporary files, twice
/// over. One more is refused before its body is read.
pub const UPLOADS: usize = 128;

/// How many of them one client address may have while no other has any: its fair share.
pub const UPLOADS_PER_ADDRESS: usize = 15;

/// How long a picture waits for its turn: longer than any other's turn lasts, since others may have just got both. After
/// that it is refused as [`ImageError::Unavailable`]: whoever uploads it
/// is better told to come again than left without an answer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that the processes which check pictures take at most, all together.
pub const POOL_MEMORY: u64 = 448 * MIB;

/// What of it is for decoders, by what their pictures' headers ask for.
const DECODER_MEMORY: u64 = POOL_MEMORY - DECODES as u64 * CHILD_MEMORY;

// Else the largest picture would wait for ever.
const _: () = assert!(PICTURE_MEMORY <= DECODER_MEMORY);

/// Told the time that the pictures of an address took.
type Spent = dyn Fn(IpAddr, Duration) + Send + Sync;

/// Has pictures decoded in processes of their own. Cheap to clone; clones share the bounds.
#[derive(Clone)]
pub struct DecodePool {
    program: Arc<Path>,
    directory: Arc<Path>,
    limits: ImageLimits,
    patience: Duration,
    spent: Arc<Spent>,
    places: Slots,
    turns: FairQueue,
    memory: Arc<Semaphore>,
}

/// An upload's place, given back when dropped. It covers its temporary files and its wait for a decoder.
pub struct UploadPlace {
    address: IpAddr,
    _slot: Slot,
}

impl DecodePool {
    /// A pool that starts `program`, which is this one, for each picture, and puts its results into `directory`, which
    /// must exist: the blob store's, so that it can rename them.
    pub fn new(program: PathBuf, directory: PathBuf, limits: ImageLimits) -> Self {
        Self {
            program: program.into(),
            directory: directory.into(),
            limits,
            patience: PATIENCE,
            spent: Arc::new(|_, _| {}),
            places: Slots::with_fair_shares(UPLOADS, UPLOADS_PER_ADDRESS),
            turns: FairQueue::new(DECODES),
            memory: Arc::new(Semaphore::new(mebibytes(DECODER_MEMORY) as usize)),
        }
    }

    /// The same pool with another time to wait for a turn than [`PATIENCE`].
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same pool, which tells how long each check took whose picture it was; also of one that was refused or given
    /// up. It is called twice for a picture, and what it took to wait is not counted.
    #[must_use]
    pub fn charging(self, spent: impl Fn(IpAddr, Duration) + Send + Sync + 'static) -> Self {
        let spent = Arc::new(spent);
        Self { spent, ..self }
    }

    /// Uploads that have a place.
    pub fn uploads(&self) -> usize {
        self.places.taken()
    }

    /// How many pictures have their turn.
    pub fn decoding(&self) -> usize {
        self.turns.held()
    }

    /// How many pictures wait for their turn.
    pub fn waiting(&self) -> usize {
        self.turns.waiting()
    }

    /// Takes a place for an upload of this address, as limits count it.
    ///
    /// # Errors
    /// [`NoSlot`] when there is none left.
    pub fn place(&self, address: IpAddr) -> Result<UploadPlace, NoSlot> {
        let slot = self.places.take(Some(address))?;
        Ok(UploadPlace {
            address,
            _slot: slot,
        })
    }

    /// Inspects the file, and returns what may be served as a new one, not synced yet.
    ///
    /// Dropped while it waits, it leaves the queue. Dropped later, its process is killed and keeps its turn until it is
    /// gone. Either way `input` and the new file are removed.
    ///
    /// # Errors
    /// See [`ImageError`]; [`ImageError::Unavailable`] also if it waits for longer than [`PATIENCE`].
    pub async fn inspect(
        &self,
        place: &UploadPlace,
        input: TempPath,
    ) -> Result<(Inspected, TempPath), ImageError> {
        let end = Instant::now() + self.patience;
        let turn = timeout_at(end, self.turns.turn(place.address)).await;
        let check = Check {
            turn: turn.map_err(|_| ImageError::Unavailable)?,
            address: place.address,
            input,
            end,
            memory: None,
        };
        let left = CancellationToken::new();
        let _leaves = left.clone().drop_guard();
        let checking = check.run(self.clone(), left).in_current_span();
        let checked = tokio::spawn(checking).await;
        checked.unwrap_or(Err(ImageError::Unavailable))
    }

    /// Counts the time until the end of the step as the address's.
    async fn count<T>(&self, address: IpAddr, step: impl Future<Output = T>) -> T {
        let _counted = Counted {
            pool: self,
            address,
            since: Instant::now(),
        };
        step.await
    }
}

/// The check of one picture that has its turn.
struct Check {
    address: IpAddr,
    input: TempPath,
    /// When it has waited for long enough.
    end: Instant,
    memory: Option<OwnedSemaphorePermit>,
    turn: Turn,
}

impl Check {
    /// Ends early when the client has left.
    async fn run(
        mut self,
        pool: DecodePool,
        left: CancellationToken,
    ) -> Result<(Inspected, TempPath), ImageError> {
        let output = create(Arc::clone(&pool.directory)).await?;
        let mut process = DecoderProcess::start(&pool.program, &self.input, &output, &pool.limits)?;
        let led = left.run_until_cancelled(self.lead(&pool, &mut process));
        let inspected = led.await.unwrap_or(Err(ImageError::Unavailable));
        process.end().await;
        let Self {
            input,
            turn,
            memory,
            ..
        } = self;
        drop((turn, memory));
        drop(spawn_blocking(move || drop(input)).await);
        Ok((inspected?, output))
    }

    async fn lead(
        &mut self,
        pool: &DecodePool,
        process: &mut DecoderProcess,
    ) -> Result<Inspected, ImageError> {
        let surveyed = pool.count(self.address, process.survey()).await?;
        // Who waits here holds a turn, but no memory yet, so that the two cannot block one another.
        let count = mebibytes(surveyed.memory);
        let memory = Arc::clone(&pool.memory).acquire_many_owned(count);
        match timeout_at(self.end, memory).await {
            Ok(Ok(memory)) => self.memory = Some(memory),
            Ok(Err(_)) | Err(_) => return Err(ImageError::Unavailable),
        }
        pool.count(self.address, process.prove()).await
    }
}

/// Reports its time when dropped.
struct Counted<'a> {
    pool: &'a DecodePool,
    address: IpAddr,
    since: Instant,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        (self.pool.spent)(self.address, self.since.elapsed());
    }
}

async fn create(directory: Arc<Path>) -> Result<TempPath, ImageError> {
    let created = spawn_blocking(move || NamedTempFile::new_in(directory)).await;
    match created.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(file) => Ok(file.into_temp_path()),
        Err(error) => {
            tracing::warn!(%error, "no temporary file for an image");
            Err(ImageError::Unavailable)
        }
    }
}

/// Whole mebibytes, rounded up, at least one.
fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MIB).max(1)).unwrap_or(u32::MAX)
}
