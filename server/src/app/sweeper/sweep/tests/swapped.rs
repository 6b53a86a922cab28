use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use app::model::{LogPage, ShortId, Timestamp, Upload, UploadId, UploadRef};
use async_trait::async_trait;

use crate::ids::PairingId;
use crate::store::sqlite::SqliteStore;
use crate::store::{
    Appended, Deleted, DeletionDraft, Draft, MessageRef, Removal, Requester, SecretHash, Select,
    Store, StoreError,
};

/// A store that turns into another one after its first pairing check, which is before the search for orphans.
pub(super) struct Swapped {
    pub(super) store: Arc<SqliteStore>,
    pub(super) checks: AtomicUsize,
}

#[async_trait]
impl Store for Swapped {
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        self.store.insert_upload(upload, owner).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        self.store.upload(name).await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        self.store.append(upload, drafts).await
    }

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        self.store.delete_message(upload, message, by, draft).await
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.delete_upload(upload, by, at).await
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        self.store.stored_bytes().await
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        self.store.removals(limit).await
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        self.store.remove_log(upload, limit).await
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        self.store.finish_removal(upload).await
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        self.store.entries(upload, select, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        match self.checks.fetch_add(1, Ordering::SeqCst) {
            0 => self.store.pairing().await,
            _ => Ok(None),
        }
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        self.store.pair(id).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        self.store.newest_uploads(limit).await
    }
}
