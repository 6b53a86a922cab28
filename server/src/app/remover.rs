//! Removes what is left of uploads that were deleted or have expired: their logs and their images.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::blob::{BlobError, Blobs};
use crate::clock;
use crate::store::{Removal, Store, StoreError};

/// How often it is looked for uploads that have expired, or that a node deleted which then died.
const INTERVAL: Duration = Duration::from_secs(15);
/// How many uploads are removed between two looks.
const MAX_REMOVALS: usize = 100;
/// How many entries of a log are removed at once, so that posts to other uploads do not wait for long.
const MAX_ENTRIES: usize = 500;
/// A removal is finished only this long after the deletion: until then another node may still write something that it
/// began before, such as a smaller picture.
const MIN_AGE: Duration = Duration::from_mins(1);

/// Removes what is left of uploads that are gone, in the background.
pub struct Remover {
    /// Knows which uploads are gone, and has their logs.
    pub store: Arc<dyn Store>,
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
        stopping.run_until_cancelled(self.run_forever()).await;
    }

    async fn run_forever(&self) {
        loop {
            // Ends after the interval, or earlier when there is something to do.
            drop(timeout(INTERVAL, self.removals.notified()).await);
            // The backends have logged their errors themselves.
            let Ok(removals) = self.store.removals(MAX_REMOVALS).await else {
                continue;
            };
            for removal in removals {
                if let Err(error) = self.remove(removal).await {
                    tracing::warn!(%error, "an upload that is gone was not removed completely; this is tried again");
                }
            }
        }
    }

    /// Each step can be repeated, so that it does not matter where an earlier try has ended.
    async fn remove(&self, removal: Removal) -> Result<(), RemovalError> {
        while self.store.remove_log(removal.upload, MAX_ENTRIES).await? == MAX_ENTRIES {}
        self.blobs.delete(removal.short_id).await?;
        let age = clock::now().unix_millis() - removal.since.unix_millis();
        if age >= i64::try_from(MIN_AGE.as_millis()).unwrap_or(i64::MAX) {
            self.store.finish_removal(removal.upload).await?;
            tracing::info!("removed an upload that is gone");
        }
        Ok(())
    }
}
