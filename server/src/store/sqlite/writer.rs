use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tracing::error;

use super::error::Failure;
use crate::fs::folder::FolderClaim;
use crate::store::StoreError;

/// Uploads and messages that may wait to be written, together at most 128 MiB of texts. When they are as many, further
/// writes are refused at once with [`StoreError::Unavailable`].
const MAX_WAITING: usize = 16_384;

/// The most jobs that one commit takes; the rest goes into the next one.
const MAX_GROUP: usize = 256;

/// Tells the caller what has become of a job. Dropped instead when the job was not committed.
type Answer = Box<dyn FnOnce() + Send>;
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
    pub fn start(connection: Connection, claim: FolderClaim) -> io::Result<Self> {
        // Every job holds at least one permit of `room`, so jobs never fill the queue.
        let (queue, jobs) = mpsc::channel(MAX_WAITING + 1);
        let thread = thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || {
                serve(connection, jobs);
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
            Ok(Box::new(move || {
                drop(room);
                if let Ok(done) = &outcome {
                    after_commit(done);
                }
                // The caller may have stopped waiting.
                let _ = reply.send(outcome);
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

fn serve(mut connection: Connection, mut jobs: mpsc::Receiver<Option<Job>>) {
    let mut group = Vec::with_capacity(MAX_GROUP);
    while jobs.blocking_recv_many(&mut group, MAX_GROUP) > 0 {
        if group.iter().any(Option::is_none) {
            // What waits is still received.
            jobs.close();
        }
        match commit(&mut connection, group.drain(..).flatten()) {
            Ok(answers) => answers.into_iter().for_each(|answer| answer()),
            Err(error) => error!(%error, "SQLite did not commit a group of writes"),
        }
    }
}

fn commit(
    connection: &mut Connection,
    jobs: impl Iterator<Item = Job>,
) -> rusqlite::Result<Vec<Answer>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let answers = jobs
        .map(|job| job(&transaction))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    transaction.commit()?;
    Ok(answers)
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
