//! Writes to the database in a thread of its own, many jobs in one commit, and makes checkpoints of the WAL.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::runtime::{self, Runtime};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::error::Failure;
use super::files::OpenedFiles;
use super::schema;
use crate::fs::folder::FolderLock;
use crate::panics::CancelOnPanic;
use crate::store::StoreError;

/// How many uploads and messages may wait to be written, together at most 128 MiB of texts. When there are more,
/// further writes are refused at once with [`StoreError::Unavailable`].
const MAX_PENDING: usize = 16_384;

/// The most jobs of one commit; the rest are in the next one.
const MAX_JOBS_PER_COMMIT: usize = 256;

/// After how long without a write a checkpoint is made.
const IDLE_CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);
/// How often a checkpoint is made during continuous writes.
const BUSY_CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);

/// Returns the job's result to its caller after the commit, or the error if the files are not in place. Dropped if the
/// commit failed.
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A job to be run within a transaction. An error means that the whole transaction is lost.
type Job = Box<dyn FnOnce(&Connection) -> rusqlite::Result<Reply> + Send>;

/// The writer thread: all jobs that wait while the disk syncs one commit are in the next one.
pub(super) struct Writer {
    /// Jobs; `None` ends the thread.
    queue: mpsc::Sender<Option<Job>>,
    permits: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. After [`Writer::stop`], or when the writer is dropped, it finishes all pending jobs, unlocks
    /// the folder and ends. If it panics, `stopping` is cancelled.
    pub fn start(
        connection: Connection,
        files: OpenedFiles,
        lock: FolderLock,
        stopping: CancellationToken,
    ) -> io::Result<Self> {
        // Every job holds at least one permit, so jobs never fill the queue.
        let (queue, jobs) = mpsc::channel(MAX_PENDING + 1);
        // Used for the timer only.
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let database = Database {
            connection,
            files,
            wal: WalState::default(),
        };
        let thread = thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || {
                let _guard = CancelOnPanic(&stopping);
                database.serve(&runtime, jobs);
                drop(lock);
            })?;
        Ok(Self {
            queue,
            permits: Arc::new(Semaphore::new(MAX_PENDING)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs a job that writes `size` uploads or messages, and returns its result when it is durable. A failed job
    /// leaves nothing behind. Dropping the future does not stop a pending job. `after_commit` runs once after this
    /// job's commit, in commit order, before the result is returned, and even if the caller is gone.
    pub async fn run<T: Send + 'static>(
        &self,
        size: usize,
        job: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
        after_commit: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Failure> {
        let size = u32::try_from(size.max(1)).unwrap_or(u32::MAX);
        let permits = Arc::clone(&self.permits)
            .try_acquire_many_owned(size)
            .map_err(|_| StoreError::Unavailable)?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = run_in_savepoint(connection, job)?;
            Ok(Box::new(move |in_place: Result<(), StoreError>| {
                drop(permits);
                if let Ok(done) = &outcome {
                    after_commit(done);
                }
                // The caller may have been cancelled.
                let _ = reply.send(in_place.map_err(Failure::from).and(outcome));
            }))
        });
        self.queue
            .try_send(Some(job))
            .map_err(|_| StoreError::Unavailable)?;
        answer.await.map_err(|_| StoreError::Unavailable)?
    }

    /// Ends the thread and waits for it.
    pub async fn stop(&self) {
        // Fails if the thread has ended already.
        let _ = self.queue.send(None).await;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && let Ok(Err(_)) = spawn_blocking(|| thread.join()).await
        {
            error!("the thread that writes to SQLite has panicked");
        }
    }
}

/// The state of the thread.
struct Database {
    connection: Connection,
    files: OpenedFiles,
    wal: WalState,
}

/// Whether data may be in the WAL alone.
struct WalState {
    is_empty: bool,
    checkpointed_at: Instant,
}

impl Default for WalState {
    /// A process that was killed may have left data in the WAL.
    fn default() -> Self {
        Self {
            is_empty: false,
            checkpointed_at: Instant::now(),
        }
    }
}

impl Database {
    fn serve(mut self, runtime: &Runtime, mut jobs: mpsc::Receiver<Option<Job>>) {
        let mut group = Vec::with_capacity(MAX_JOBS_PER_COMMIT);
        self.checkpoint();
        loop {
            // Without a write, it is still checked regularly whether the files are in place.
            let waiting = async {
                timeout(
                    IDLE_CHECKPOINT_INTERVAL,
                    jobs.recv_many(&mut group, MAX_JOBS_PER_COMMIT),
                )
                .await
            };
            match runtime.block_on(waiting) {
                Err(_) => self.idle(),
                Ok(0) => break,
                Ok(_) => {
                    if group.iter().any(Option::is_none) {
                        // Pending jobs are still received.
                        jobs.close();
                    }
                    self.write(group.drain(..).flatten());
                }
            }
        }
        self.checkpoint();
        self.files.close();
    }

    fn idle(&mut self) {
        if self.wal.is_empty {
            // Logged by the check.
            let _ = self.files.check_in_place();
        } else {
            self.checkpoint();
        }
    }

    fn write(&mut self, jobs: impl Iterator<Item = Job>) {
        self.wal.is_empty = false;
        match self.commit(jobs) {
            Ok(replies) => {
                // The writes count only if the next process to open the database will find them.
                let in_place = self.files.check_in_place();
                for reply in replies {
                    reply(in_place);
                }
            }
            Err(Failure::Driver(error)) => {
                error!(%error, "SQLite failed to commit a group of writes");
            }
            // Logged already.
            Err(Failure::Refused(_)) => {}
        }
        if self.wal.checkpointed_at.elapsed() >= BUSY_CHECKPOINT_INTERVAL {
            self.checkpoint();
        }
    }

    fn commit(&mut self, jobs: impl Iterator<Item = Job>) -> Result<Vec<Reply>, Failure> {
        self.files.check_in_place()?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let replies = jobs
            .map(|job| job(&transaction))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        transaction.commit()?;
        Ok(replies)
    }

    fn checkpoint(&mut self) {
        if self.files.check_in_place().is_err() {
            return;
        }
        self.wal.checkpointed_at = Instant::now();
        match schema::checkpoint(&self.connection) {
            Ok(is_empty) => self.wal.is_empty = is_empty,
            Err(error) => warn!(%error, "a checkpoint of the database failed"),
        }
    }
}

/// Runs a job in a savepoint, so that its failure undoes only its own writes. An error means that the whole transaction
/// was rolled back.
fn run_in_savepoint<T>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> rusqlite::Result<Result<T, Failure>> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("SAVEPOINT job")?;
    let outcome = match job(connection) {
        // Some errors, such as a full disk, make SQLite roll back the whole transaction.
        Err(Failure::Driver(error)) if connection.is_autocommit() => return Err(error),
        outcome => outcome,
    };
    if outcome.is_err() {
        run("ROLLBACK TO job")?;
    }
    run("RELEASE job")?;
    Ok(outcome)
}
