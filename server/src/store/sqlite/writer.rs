use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::runtime::{self, Runtime};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{error, warn};

use super::error::Failure;
use super::files::OpenedFiles;
use super::schema::{self, WriteBack};
use crate::fs::folder::FolderClaim;
use crate::store::StoreError;

/// Uploads and messages that may wait to be written, together at most 128 MiB of texts. When they are as many, further
/// writes are refused at once with [`StoreError::Unavailable`].
const MAX_WAITING: usize = 16_384;

/// The most jobs that one commit takes; the rest goes into the next one.
const MAX_GROUP: usize = 256;

/// After how long without a write the log is written back.
const IDLE: Duration = Duration::from_secs(1);
/// How often it is while there are writes all the time.
const BUSY_FOR: Duration = Duration::from_secs(10);

/// Tells the caller what has become of a job that was committed, or why it must not count on that. Dropped instead when
/// the job was not committed.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A job to be done within a commit. It fails only when the whole commit is lost.
type Job = Box<dyn FnOnce(&Connection) -> rusqlite::Result<Answer> + Send>;

/// The one thread that writes: all jobs that wait while the disk syncs one commit share the next.
pub(super) struct Writer {
    /// A job, or `None` to end the thread.
    queue: mpsc::Sender<Option<Job>>,
    room: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. It ends when told so or when the writer is dropped, once everything that waits is written,
    /// and gives up the claim then.
    pub fn start(
        connection: Connection,
        files: OpenedFiles,
        claim: FolderClaim,
    ) -> io::Result<Self> {
        // Every job holds at least one permit of `room`, so jobs never fill the queue.
        let (queue, jobs) = mpsc::channel(MAX_WAITING + 1);
        // For the timer alone.
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let database = Database {
            connection,
            files,
            log: Log::default(),
        };
        let thread = thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || {
                database.serve(&runtime, jobs);
                drop(claim);
            })?;
        Ok(Self {
            queue,
            room: Arc::new(Semaphore::new(MAX_WAITING)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Does a job that writes `size` uploads or messages, and answers after it is durable. A job that fails leaves
    /// nothing behind. Dropping the future does not stop a job that waits. What is done `after_commit` is done in the
    /// order of the commits, before the answer, and whether or not anyone waits for it.
    pub async fn run<T: Send + 'static>(
        &self,
        size: usize,
        job: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
        after_commit: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Failure> {
        let size = u32::try_from(size.max(1)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room)
            .try_acquire_many_owned(size)
            .map_err(|_| StoreError::Unavailable)?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = isolated(connection, job)?;
            Ok(Box::new(move |found_again: Result<(), StoreError>| {
                drop(room);
                if let Ok(done) = &outcome {
                    after_commit(done);
                }
                // The caller may have stopped waiting.
                let _ = reply.send(found_again.map_err(Failure::from).and(outcome));
            }))
        });
        self.queue
            .try_send(Some(job))
            .map_err(|_| StoreError::Unavailable)?;
        answer.await.map_err(|_| StoreError::Unavailable)?
    }

    /// Ends the thread and waits for it.
    pub async fn stop(&self) {
        // It fails when the thread is gone already.
        let _ = self.queue.send(None).await;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && let Ok(Err(_)) = spawn_blocking(|| thread.join()).await
        {
            error!("the thread that writes to SQLite had panicked");
        }
    }
}

/// What the thread has.
struct Database {
    connection: Connection,
    files: OpenedFiles,
    log: Log,
}

/// What may lie in the log alone.
struct Log {
    is_empty: bool,
    written_back: Instant,
}

impl Default for Log {
    /// As a process that was killed may have left it.
    fn default() -> Self {
        Self {
            is_empty: false,
            written_back: Instant::now(),
        }
    }
}

impl Database {
    fn serve(mut self, runtime: &Runtime, mut jobs: mpsc::Receiver<Option<Job>>) {
        let mut group = Vec::with_capacity(MAX_GROUP);
        self.write_back(WriteBack::Whole);
        loop {
            // Without a write it is looked all the same whether the files are in place.
            let waiting = async { timeout(IDLE, jobs.recv_many(&mut group, MAX_GROUP)).await };
            match runtime.block_on(waiting) {
                Err(_) => self.idle(),
                Ok(0) => break,
                Ok(_) => {
                    if group.iter().any(Option::is_none) {
                        // What waits is still received.
                        jobs.close();
                    }
                    self.write(group.drain(..).flatten());
                }
            }
        }
        self.write_back(WriteBack::Whole);
        self.files.close();
    }

    fn idle(&mut self) {
        if self.files.in_place().is_ok() && !self.log.is_empty {
            self.write_back(WriteBack::Whole);
        }
    }

    fn write(&mut self, jobs: impl Iterator<Item = Job>) {
        self.log.is_empty = false;
        match self.commit(jobs) {
            Ok(answers) => {
                // Only what is found again by whoever opens the database later.
                let found_again = self.files.in_place();
                for answer in answers {
                    answer(found_again);
                }
            }
            Err(Failure::Driver(error)) => {
                error!(%error, "SQLite did not commit a group of writes");
            }
            // It has been logged already.
            Err(Failure::Refused(_)) => {}
        }
        if self.log.written_back.elapsed() >= BUSY_FOR {
            self.write_back(WriteBack::Passive);
        }
    }

    fn commit(&mut self, jobs: impl Iterator<Item = Job>) -> Result<Vec<Answer>, Failure> {
        self.files.in_place()?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answers = jobs
            .map(|job| job(&transaction))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        transaction.commit()?;
        Ok(answers)
    }

    fn write_back(&mut self, how: WriteBack) {
        if self.files.in_place().is_err() {
            return;
        }
        self.log.written_back = Instant::now();
        match schema::write_back(&self.connection, how) {
            Ok(is_empty) => self.log.is_empty = is_empty,
            Err(error) => warn!(%error, "the log of the database was not written back"),
        }
    }
}

/// Does a job so that its failure undoes what it did and nothing else. An error means that everything is undone.
fn isolated<T>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> rusqlite::Result<Result<T, Failure>> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("SAVEPOINT job")?;
    let outcome = match job(connection) {
        // Some errors, as that of a full disk, make SQLite roll back the whole transaction.
        Err(Failure::Driver(error)) if connection.is_autocommit() => return Err(error),
        outcome => outcome,
    };
    if outcome.is_err() {
        run("ROLLBACK TO job")?;
    }
    run("RELEASE job")?;
    Ok(outcome)
}
