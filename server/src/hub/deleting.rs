//! Deleting messages and uploads, and telling their watchers.

use std::sync::Arc;

use app::model::UploadId;
use thiserror::Error;
use tokio::sync::Notify;
use tracing::Instrument;

pub use super::deletion_slots::{MAX_DELETIONS, MAX_DELETIONS_PER_UPLOAD};

use super::deletion_slots::DeletionSlots;
use super::handle::Hub;
use crate::store::{Deleted, DeletionDraft, MessageRef, Requester, Select, Store, StoreError};
use crate::{clock, ids};

/// Why something was not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DeleteError {
    /// The store's error.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many deletions are under way, of this upload or in all.
    #[error("too many deletions are under way")]
    Busy,
}

/// Deletes messages and uploads; clones share their parts.
#[derive(Clone)]
pub struct Deleter {
    store: Arc<dyn Store>,
    hub: Hub,
    /// Notified when there is something to remove.
    removals: Arc<Notify>,
    slots: DeletionSlots,
}

impl Deleter {
    /// Creates a deleter for the uploads of `store`, which tells watchers through `hub`. `removals` is notified when an
    /// upload was deleted.
    pub fn new(store: Arc<dyn Store>, hub: Hub, removals: Arc<Notify>) -> Self {
        Self {
            store,
            hub,
            removals,
            slots: DeletionSlots::default(),
        }
    }

    /// How many deletions are under way.
    pub fn under_way(&self) -> usize {
        self.slots.taken()
    }

    /// Deletes a message and tells the upload's watchers; returns when it is durable. If the caller is dropped
    /// meanwhile, that is done all the same.
    ///
    /// # Errors
    /// [`DeleteError::Busy`], or as [`Store::delete_message`].
    pub async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
    ) -> Result<(), DeleteError> {
        let Self { store, hub, .. } = self.clone();
        self.run(upload, by, async move {
            let draft = DeletionDraft {
                id: ids::message_id(),
                created_at: clock::now(),
            };
            match store.delete_message(upload, message, by, draft).await? {
                Deleted::New(deletion) => hub.publish_deleted(deletion).await,
                // The first attempt may have deleted it without getting an answer, and so without publishing it.
                Deleted::Already => {
                    if let Ok(page) = store.entries(upload, Select::Newest, 0).await {
                        hub.announce_head(upload, page.head);
                    }
                }
            }
            Ok(())
        })
        .await
    }

    /// Deletes an upload and tells its watchers; returns when it is durable. If the caller is dropped meanwhile, that
    /// is done all the same.
    ///
    /// # Errors
    /// [`DeleteError::Busy`], or as [`Store::delete_upload`].
    pub async fn delete_upload(&self, upload: UploadId, by: Requester) -> Result<(), DeleteError> {
        let Self {
            store,
            hub,
            removals,
            ..
        } = self.clone();
        self.run(upload, by, async move {
            store.delete_upload(upload, by, clock::now()).await?;
            removals.notify_one();
            hub.publish_gone(upload).await;
            Ok(())
        })
        .await
    }

    /// Runs a deletion, unless too many are under way. An admin's is never refused: whoever fills the slots must not be
    /// in its way.
    async fn run(
        &self,
        upload: UploadId,
        by: Requester,
        work: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) -> Result<(), DeleteError> {
        let slot = match by {
            Requester::Admin => None,
            Requester::Author(_) => Some(self.slots.take(upload).ok_or(DeleteError::Busy)?),
        };
        let work = async move {
            // It ends with the work, which goes on without its caller.
            let _slot = slot;
            work.await
        };
        let task = self.hub.tasks().spawn(work.in_current_span());
        Ok(task.await.unwrap_or(Err(StoreError::Unavailable))?)
    }
}
