//! Reads from time to time what is stored and what is free, for the quota of storage.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::admission::storage_quota::StorageQuota;
use crate::fs::free_space::free_space;
use crate::panics::restart_on_panic;
use crate::store::Store;

/// How long a reading of what is free is used.
const FREE_INTERVAL: Duration = Duration::from_secs(5);
/// How long a reading of what is stored is used, at least.
const STORED_INTERVAL: Duration = Duration::from_secs(5);
/// How long a reading of what is stored is used while there is no quota: then it is for the metrics only.
const UNLIMITED_INTERVAL: Duration = Duration::from_mins(5);
/// For how many times as long as the store took it is not asked again: adding up the sizes of a million uploads may
/// take it a second.
const STORED_PAUSE: u32 = 50;

/// Reads what is stored and what is free.
pub(super) struct StorageReader {
    pub quota: StorageQuota,
    pub store: Arc<dyn Store>,
    /// A folder on the disk that files are written to.
    pub folder: PathBuf,
}

impl StorageReader {
    /// Reads until the node stops.
    pub async fn run(self, stopping: CancellationToken) {
        let reading = restart_on_panic(async || {
            futures::future::join(self.read_stored(), self.read_free()).await;
        });
        stopping.run_until_cancelled(reading).await;
    }

    async fn read_stored(&self) {
        loop {
            let start = Instant::now();
            let reading = self.quota.begin_stored();
            // The store has logged why it failed.
            let stored = self.store.stored_bytes().await.ok();
            self.quota.set_stored(reading, stored);
            // Sooner after a failure: a node that has not read it yet refuses uploads under a quota.
            let times = if stored.is_some() { STORED_PAUSE } else { 1 };
            let interval = if self.quota.has_quota() {
                STORED_INTERVAL
            } else {
                UNLIMITED_INTERVAL
            };
            sleep(interval.max(start.elapsed() * times)).await;
        }
    }

    async fn read_free(&self) {
        let mut was_read = true;
        loop {
            let reading = self.quota.begin_free();
            let folder = self.folder.clone();
            // A network's file system may take its time.
            let free = spawn_blocking(move || free_space(&folder)).await;
            let free = free.unwrap_or_else(|error| Err(error.into()));
            if let (true, Err(error)) = (was_read, &free) {
                tracing::warn!(%error, "it cannot be read how much is free on the data folder's disk");
            }
            was_read = free.is_ok();
            self.quota.set_free(reading, free.ok());
            sleep(FREE_INTERVAL).await;
        }
    }
}
