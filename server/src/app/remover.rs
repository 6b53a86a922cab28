//! Finishes what deletions leave to be done: removes the logs and the images of uploads that were deleted or have
//! expired, and deletes messages whose deletion was interrupted.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::blob::{BlobError, Blobs};
use crate::clock;
use crate::hub::Hub;
use crate::panics::restart_on_panic;
use crate::store::{Removal, Store, StoreError};

/// How often it is looked for uploads that have expired, or that a node deleted which then died.
const INTERVAL: Duration = Duration::from_secs(15);
/// How many uploads are removed at once.
const MAX_REMOVALS: usize = 100;
/// How many entries of a log are removed at once, so that posts to other uploads do not wait for long.
const MAX_ENTRIES: usize = 500;
/// How many interrupted deletions of messages are finished between two looks.
const MAX_DELETIONS: usize = 20;
/// A removal is finished only this long after the deletion: until then another node may still write something that it
/// began before, such as a smaller picture.
const MIN_AGE: Duration = Duration::from_mins(1);

/// Finishes what deletions leave to be done, in the background.
pub struct Remover {
    /// Knows what was deleted, and has the logs.
    pub store: Arc<dyn Store>,
    /// Tells watchers of deletions that are finished here.
    pub hub: Hub,
    /// Has their images.
    pub blobs: Arc<dyn Blobs>,
    /// Notified when an upload was deleted at this node.
    pub removals: Arc<Notify>,
}

/// Why an upload was not removed. It is tried again.
#[derive(Debug, thiserror::Error)]
enum RemovalError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl Remover {
    /// Removes until the node stops. What is interrupted is done at the next start, or by another node.
    pub async fn run(self, stopping: CancellationToken) {
        let running = restart_on_panic(|| self.run_forever());
        stopping.run_until_cancelled(running).await;
    }

    async fn run_forever(&self) {
        loop {
            // Ends after the interval, or earlier when there is something to do.
            drop(timeout(INTERVAL, self.removals.notified()).await);
            self.finish_deletions().await;
            while self.remove_some().await == MAX_REMOVALS {}
        }
    }

    /// Removes what is left of some uploads, and returns of how many nothing is left.
    async fn remove_some(&self) -> usize {
        // The backends have logged their errors themselves.
        let removals = self.store.removals(MAX_REMOVALS).await.unwrap_or_default();
        let mut finished = 0;
        // All texts first: removing images may take long, or fail.
        let mut without_log = Vec::new();
        for removal in removals {
            match self.remove_log(removal).await {
                Ok(()) => without_log.push(removal),
                Err(error) => log(&error),
            }
        }
        for removal in without_log {
            match self.remove_images(removal).await {
                Ok(is_finished) => finished += usize::from(is_finished),
                Err(error) => log(&error),
            }
        }
        finished
    }

    /// Deletes messages whose deletion was interrupted, as by the end of its node.
    async fn finish_deletions(&self) {
        let finished = self.store.finish_deletions(MAX_DELETIONS).await;
        for deletion in finished.unwrap_or_default() {
            self.hub.publish_deleted(deletion).await;
        }
    }

    /// Each step can be repeated, so that it does not matter where an earlier try has ended.
    async fn remove_log(&self, removal: Removal) -> Result<(), RemovalError> {
        while self.store.remove_log(removal.upload, MAX_ENTRIES).await? == MAX_ENTRIES {}
        Ok(())
    }

    /// Returns whether nothing is left of the upload.
    async fn remove_images(&self, removal: Removal) -> Result<bool, RemovalError> {
        self.blobs.delete(removal.short_id).await?;
        let age = clock::now().unix_millis() - removal.since.unix_millis();
        let is_final = age >= i64::try_from(MIN_AGE.as_millis()).unwrap_or(i64::MAX);
        if is_final {
            self.store.finish_removal(removal.upload).await?;
            tracing::info!("removed an upload that is gone");
        }
        Ok(is_final)
    }
}

fn log(error: &RemovalError) {
    tracing::warn!(%error, "an upload that is gone was not removed completely; this is tried again");
}
