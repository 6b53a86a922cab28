//! Who may decode when: at most two pictures at once, under a total of memory, and a bounded queue before them.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::{NamedTempFile, TempPath};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::limits::MIB;
use super::{ImageError, Inspected, Limits, PICTURE_MEMORY, Survey};

/// Pictures that are decoded at the same time.
pub const DECODES: usize = 2;

/// Pictures that wait for their turn. One more is refused as [`ImageError::Unavailable`].
pub const WAITING: usize = 64;

/// How long a picture waits for its turn. After that it is refused as [`ImageError::Unavailable`]: whoever uploads it
/// is better told to come again than left without an answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that the decoders need at most, all together.
pub const POOL_MEMORY: u64 = 448 * MIB;

// Else the largest picture would wait for ever.
const _: () = assert!(PICTURE_MEMORY <= POOL_MEMORY);

/// Decodes pictures off the runtime's own threads. Cheap to clone; clones share the bounds.
#[derive(Debug, Clone)]
pub struct DecodePool {
    directory: Arc<PathBuf>,
    limits: Limits,
    patience: Duration,
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

impl DecodePool {
    /// A pool that puts its results into `directory`, which must exist: the blob store's, so that it can rename them.
    pub fn new(directory: PathBuf, limits: Limits) -> Self {
        Self {
            directory: Arc::new(directory),
            limits,
            patience: PATIENCE,
            places: Arc::new(Semaphore::new(WAITING + DECODES)),
            turns: Arc::new(Semaphore::new(DECODES)),
            memory: Arc::new(Semaphore::new(mebibytes(POOL_MEMORY) as usize)),
        }
    }

    /// The same pool with another time to wait for a turn than [`PATIENCE`].
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How many pictures have their turn.
    pub fn decoding(&self) -> usize {
        DECODES.saturating_sub(self.turns.available_permits())
    }

    /// How many pictures wait for their turn.
    pub fn waiting(&self) -> usize {
        let places = (WAITING + DECODES).saturating_sub(self.places.available_permits());
        places.saturating_sub(self.decoding())
    }

    /// Inspects the file, and returns what may be served as a new one, not synced yet.
    ///
    /// Dropped while it waits, it leaves the queue. Dropped later, a step that has begun ends first and keeps its turn
    /// until then. Either way `input` and the new file are removed.
    ///
    /// # Errors
    /// See [`ImageError`]; [`ImageError::Unavailable`] also if too many pictures wait, or this one
    /// for longer than [`PATIENCE`].
    pub async fn inspect(&self, input: TempPath) -> Result<(Inspected, TempPath), ImageError> {
        let _place = self
            .places
            .try_acquire()
            .map_err(|_| ImageError::Unavailable)?;
        let end = Instant::now() + self.patience;
        let turn = acquire(&self.turns, 1, end).await?;
        let limits = self.limits;
        let (survey, input, turn) = run(move || {
            let survey = Survey::of(&input, limits)?;
            Ok((survey, input, turn))
        })
        .await?;
        // Those who wait here hold a turn, but no memory yet, so that they cannot block one another.
        let memory = acquire(&self.memory, mebibytes(survey.memory_needed()), end).await?;
        let directory = Arc::clone(&self.directory);
        run(move || {
            let _held = (input, turn, memory);
            let (mut file, path) = create(&directory)?;
            let inspected = survey.prove(&mut file)?;
            Ok((inspected, path))
        })
        .await
    }
}

async fn acquire(
    semaphore: &Arc<Semaphore>,
    count: u32,
    end: Instant,
) -> Result<OwnedSemaphorePermit, ImageError> {
    let permit = Arc::clone(semaphore).acquire_many_owned(count);
    match timeout_at(end, permit).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(ImageError::Unavailable),
    }
}

async fn run<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, ImageError> + Send + 'static,
) -> Result<T, ImageError> {
    spawn_blocking(step)
        .await
        .unwrap_or(Err(ImageError::Unavailable))
}

fn create(directory: &PathBuf) -> Result<(File, TempPath), ImageError> {
    match NamedTempFile::new_in(directory) {
        Ok(file) => Ok(file.into_parts()),
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
