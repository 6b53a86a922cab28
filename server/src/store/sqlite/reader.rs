use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::{Span, error};

use super::error::Failure;
use super::files::OpenedFiles;
use super::schema;
use crate::store::StoreError;

/// The most concurrent reads. Further ones wait, as long as a call may take; they are as many as the node's requests.
const MAX_READERS: u32 = 4;
/// After how many of its virtual machine's instructions SQLite checks whether the caller is gone: less than a
/// millisecond.
const CHECK_INTERVAL: i32 = 10_000;

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

    /// Runs a job within a read transaction. If the caller is dropped, as by its timeout, the job is interrupted, so
    /// that no reader is busy with what nobody waits for.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Unavailable)?;
        let pool = Arc::clone(&self.pool);
        // The permit is released when the job ends, also if the caller is dropped.
        let span = Span::current();
        let caller_gone = CancellationToken::new();
        let _caller = caller_gone.clone().drop_guard();
        let reading = spawn_blocking(move || {
            let outcome = span.in_scope(|| pool.run(caller_gone, job));
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
    fn run<T>(
        &self,
        caller_gone: CancellationToken,
        job: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        // It replaces that of the connection's last job.
        let interrupts = move || caller_gone.is_cancelled();
        connection.progress_handler(CHECK_INTERVAL, Some(interrupts))?;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::store::sqlite::{DATABASE_FILE, SqliteStore};

    /// Counts to a billion, which takes minutes.
    fn read_for_long(connection: &Connection) -> Result<i64, Failure> {
        let sql = "WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers LIMIT 1000000000) \
                   SELECT max(n) FROM numbers";
        Ok(connection.query_row(sql, [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn a_read_whose_caller_gives_up_ends() {
        let folder = tempfile::tempdir().unwrap();
        let _store = SqliteStore::open(folder.path()).unwrap();
        let files = OpenedFiles::of(&folder.path().join(DATABASE_FILE)).unwrap();
        let readers = Readers::new(files);
        for _ in 0..MAX_READERS {
            let read = readers.run(read_for_long);
            let given_up = timeout(Duration::from_millis(50), read).await;
            assert!(given_up.is_err(), "{given_up:?}");
        }
        let next = timeout(Duration::from_secs(10), readers.run(schema::read_probe)).await;
        next.expect("a reader is free").unwrap();
        let stopped = timeout(Duration::from_secs(10), readers.stop()).await;
        stopped.expect("all reads have ended");
    }
}
