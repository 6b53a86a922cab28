//! The store as one node sees it: slow and failing when a fault says so. The data are those of [`MemoryStore`], which all
//! nodes share.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use app::model::{LogPage, ShortId, Timestamp, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use server::ids::PairingId;
use server::store::memory::MemoryStore;
use server::store::{
    Appended, Deleted, DeletionDraft, Draft, MessageRef, Removal, Requester, SecretHash, Select,
    Store, StoreError,
};
use tokio::time::{Instant, sleep_until};

use crate::clock::NodeClock;
use crate::links::{Links, StoreLink, chance, pause};

/// A store returns within this time.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A node's connection to the store.
pub struct NodeStore {
    pub data: Arc<MemoryStore>,
    pub links: Links,
    pub clock: NodeClock,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Done,
    /// It is not done.
    Refused,
    /// It is done, but the answer is lost.
    Unanswered,
    /// It is done after the node has given up.
    DoneLate,
}

impl NodeStore {
    async fn call<T, F>(&self, what: impl Display, call: F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        let given_up = Instant::now() + TIMEOUT;
        let fate = match self.links.store() {
            StoreLink::Failing if chance(30) => Fate::Refused,
            StoreLink::Failing if chance(40) => Fate::Unanswered,
            StoreLink::Failing if chance(60) => Fate::DoneLate,
            _ => Fate::Done,
        };
        self.clock.trace(format_args!("store {what}: {fate:?}"));
        let (before, after) = match self.links.store() {
            StoreLink::Fine => (1..5, 1..3),
            StoreLink::Slow | StoreLink::Failing => (1..1_400, 1..1_400),
        };
        match fate {
            Fate::Done => {
                pause(before).await;
                let result = call.await;
                pause(after).await;
                return result;
            }
            Fate::Refused => pause(before).await,
            Fate::Unanswered => {
                pause(before).await;
                drop(call.await);
                sleep_until(given_up).await;
            }
            Fate::DoneLate => {
                tokio::spawn(async move {
                    pause(3_000..9_000).await;
                    drop(call.await);
                });
                sleep_until(given_up).await;
            }
        }
        Err(StoreError::Unavailable)
    }
}

#[async_trait]
impl Store for NodeStore {
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        let data = Arc::clone(&self.data);
        let call = async move { data.insert_upload(upload, owner).await };
        self.call("insert_upload", call).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        let data = Arc::clone(&self.data);
        self.call("upload", async move { data.upload(name).await })
            .await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        let data = Arc::clone(&self.data);
        let what = format!("append {}", drafts.len());
        self.call(what, async move { data.append(upload, drafts).await })
            .await
    }

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        let data = Arc::clone(&self.data);
        let what = format!("delete_message {}", message.seq);
        let call = async move { data.delete_message(upload, message, by, draft).await };
        self.call(what, call).await
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let data = Arc::clone(&self.data);
        let call = async move { data.delete_upload(upload, by, at).await };
        self.call("delete_upload", call).await
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        let data = Arc::clone(&self.data);
        self.call("removals", async move { data.removals(limit).await })
            .await
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        let data = Arc::clone(&self.data);
        let call = async move { data.remove_log(upload, limit).await };
        self.call("remove_log", call).await
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        let data = Arc::clone(&self.data);
        let call = async move { data.finish_removal(upload).await };
        self.call("finish_removal", call).await
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        let data = Arc::clone(&self.data);
        let call = async move { data.entries(upload, select, limit).await };
        self.call("entries", call).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.call("ping", async { Ok(()) }).await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        let data = Arc::clone(&self.data);
        self.call("pairing", async move { data.pairing().await })
            .await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        let data = Arc::clone(&self.data);
        self.call("pair", async move { data.pair(id).await }).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        let data = Arc::clone(&self.data);
        let call = async move { data.newest_uploads(limit).await };
        self.call("newest_uploads", call).await
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        let data = Arc::clone(&self.data);
        self.call("stored_bytes", async move { data.stored_bytes().await })
            .await
    }
}
