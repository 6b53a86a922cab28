//! Deleting messages and uploads, and telling their watchers.

use std::sync::Arc;

use app::model::UploadId;
use tokio::sync::Notify;
use tracing::Instrument;

use super::handle::Hub;
use crate::store::{Deleted, DeletionDraft, MessageRef, Requester, Select, Store, StoreError};
use crate::{clock, ids};

/// Deletes messages and uploads; clones share their parts.
#[derive(Clone)]
pub struct Deleter {
    store: Arc<dyn Store>,
    hub: Hub,
    /// Notified when there is something to remove.
    removals: Arc<Notify>,
}

impl Deleter {
    /// Creates a deleter for the uploads of `store`, which tells watchers through `hub`. `removals` is notified when an
    /// upload was deleted.
    pub fn new(store: Arc<dyn Store>, hub: Hub, removals: Arc<Notify>) -> Self {
        Self {
            store,
            hub,
            removals,
        }
    }

    /// Deletes a message and tells the upload's watchers; returns when it is durable. If the caller is dropped meanwhile,
    /// that is done all the same.
    ///
    /// # Errors
    /// As [`Store::delete_message`].
    pub async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
    ) -> Result<(), StoreError> {
        let Self { store, hub, .. } = self.clone();
        self.run(async move {
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

    /// Deletes an upload and tells its watchers; returns when it is durable. If the caller is dropped meanwhile, that is
    /// done all the same.
    ///
    /// # Errors
    /// As [`Store::delete_upload`].
    pub async fn delete_upload(&self, upload: UploadId, by: Requester) -> Result<(), StoreError> {
        let Self {
            store,
            hub,
            removals,
        } = self.clone();
        self.run(async move {
            store.delete_upload(upload, by, clock::now()).await?;
            removals.notify_one();
            hub.publish_gone(upload).await;
            Ok(())
        })
        .await
    }

    async fn run(
        &self,
        work: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) -> Result<(), StoreError> {
        let task = self.hub.tasks().spawn(work.in_current_span());
        task.await.unwrap_or(Err(StoreError::Unavailable))
    }
}
