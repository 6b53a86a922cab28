use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::{Span, error};

use super::error::Failure;
use super::files::OpenedFiles;
use super::schema;
use crate::store::StoreError;

/// The most concurrent reads. Further ones wait, as long as a call may take; they are as many as the node's requests.
const MAX_READERS: u32 = 4;

/// A pool of connections that only read, on blocking threads.
pub(super) struct Readers {
    permits: Arc<Semaphore>,
    pool: Arc<Pool>,
}

struct Pool {
    files: OpenedFiles,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Makes a pool for this database; connections are opened when they are needed.
    pub fn new(files: OpenedFiles) -> Self {
        let idle = Mutex::new(Vec::new());
        Self {
            permits: Arc::new(Semaphore::new(MAX_READERS as usize)),
            pool: Arc::new(Pool { files, idle }),
        }
    }

    /// Runs a job within a read transaction.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Unavailable)?;
        let pool = Arc::clone(&self.pool);
        // The permit is released when the job ends, also if the caller is cancelled.
        let span = Span::current();
        let reading = spawn_blocking(move || {
            let outcome = span.in_scope(|| pool.run(job));
            drop(permit);
            outcome
        });
        reading.await.unwrap_or_else(|error| {
            error!(%error, "a read of SQLite panicked or was aborted");
            Err(StoreError::Unavailable.into())
        })
    }

    /// Waits for the reads under way and closes the connections; later reads are refused.
    pub async fn stop(&self) {
        let all = self.permits.acquire_many(MAX_READERS).await;
        self.permits.close();
        self.pool.idle().clear();
        drop(all);
    }
}

impl Pool {
    fn run<T>(&self, job: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        let outcome = job(&*connection.transaction()?);
        // A connection with an error is closed, since it may be the cause.
        if !matches!(outcome, Err(Failure::Driver(_))) {
            self.idle().push(connection);
        }
        outcome
    }

    /// Opens a connection, unless the file is no longer the one that the other connections use.
    fn open(&self) -> Result<Connection, Failure> {
        self.files.check_in_place()?;
        Ok(schema::open_reader(self.files.database())?)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
