use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::{Span, error};

use super::error::Failure;
use super::files::OpenedFiles;
use super::schema;
use crate::store::StoreError;

/// Reads at the same time. Further ones wait, as long as a call may take; they are as many as the node's requests.
const READERS: u32 = 4;

/// Connections that only read, on threads that may block.
pub(super) struct Readers {
    turns: Arc<Semaphore>,
    pool: Arc<Pool>,
}

struct Pool {
    files: OpenedFiles,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Readers of this database; a connection is opened when it is first needed.
    pub fn new(files: OpenedFiles) -> Self {
        let idle = Mutex::new(Vec::new());
        Self {
            turns: Arc::new(Semaphore::new(READERS as usize)),
            pool: Arc::new(Pool { files, idle }),
        }
    }

    /// Does a job that sees the database as it is at one moment.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Unavailable)?;
        let pool = Arc::clone(&self.pool);
        // The turn goes along, so that it ends with the job even if nobody waits for the answer.
        let span = Span::current();
        let reading = spawn_blocking(move || {
            let outcome = span.in_scope(|| pool.run(job));
            drop(turn);
            outcome
        });
        reading.await.unwrap_or_else(|error| {
            error!(%error, "a read of SQLite panicked or was cut off");
            Err(StoreError::Unavailable.into())
        })
    }

    /// Waits for the reads under way and closes the connections; later reads are refused.
    pub async fn stop(&self) {
        let all = self.turns.acquire_many(READERS).await;
        self.turns.close();
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
        // One that has met an error is closed, in case it is to blame.
        if !matches!(outcome, Err(Failure::Driver(_))) {
            self.idle().push(connection);
        }
        outcome
    }

    /// Opened beside those that are open already, it must be the same database.
    fn open(&self) -> Result<Connection, Failure> {
        self.files.in_place()?;
        Ok(schema::open_reader(self.files.database())?)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
