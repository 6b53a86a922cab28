//! The store in MongoDB, for nodes that share it. Any number of nodes write. The unique indexes resolve conflicts
//! between them, so no transactions are needed, and no node has to know of another.
//!
//! Writes are acknowledged by a majority with journaling, and reads use the majority read concern: what was
//! acknowledged survives the loss of a primary, and no reader sees or builds on writes that could be rolled back.

mod append;
mod append_locks;
mod deletions;
mod documents;
mod driver_error;
mod error;
mod inspect;
mod log;
mod moderation;
mod options;
mod pairing;
mod prepare;
mod retry;
mod schema;
mod uploads;
mod writes;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use app::model::{
    BlockedAddress, Deletion, ListedUpload, LogPage, Report, ShortId, Timestamp, Upload, UploadId,
    UploadRef,
};
use async_trait::async_trait;
use mongodb::Client;
use tokio::time::timeout;

pub use error::OpenError;

use self::append_locks::AppendLocks;
use self::deletions::AbandonedFrom;
use self::error::{with_timeout, with_timeout_of};
use self::schema::Database;
use self::writes::WriteTasks;
use super::{
    Appended, ContentHash, Deleted, DeletionDraft, Draft, MessageRef, Moderation, Removal,
    Requester, SUM_TIMEOUT, SecretHash, Select, Store, StoreError, UploadFilter,
};
use crate::config::Secret;
use crate::ids::PairingId;

/// How long [`MongoStore::close`] waits for the connections to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The store in a database of a MongoDB server. A write that timed out may still be done later; a client that repeats a
/// post then gets the message that was stored.
pub struct MongoStore {
    client: Client,
    database: Database,
    writes: WriteTasks,
    append_locks: AppendLocks,
    abandoned_from: AbandonedFrom,
}

impl MongoStore {
    /// Connects to the database that `MONGO_URL` names and creates its indexes. Several nodes may do so at once.
    ///
    /// # Errors
    /// When the URL is invalid, no server answers, it refuses the login or the indexes, or the database is incomplete
    /// or that of a newer program.
    pub async fn open(url: &Secret) -> Result<Self, OpenError> {
        let options = options::parse(url).await?;
        let name = options::database_name(&options);
        let client = Client::with_options(options).map_err(|error| OpenError::of_url(&error))?;
        let database = Database::new(&client.database(&name));
        prepare::prepare(&database).await?;
        Ok(Self {
            client,
            database,
            writes: WriteTasks::default(),
            append_locks: AppendLocks::default(),
            abandoned_from: AbandonedFrom::default(),
        })
    }

    /// Waits for the writes under way, at most as long as a call may take, and closes the connections; later writes
    /// fail with [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.writes.stop().await;
        // The driver waits for everything that is under way, also for reads that have no caller any more.
        let shutdown = self.client.clone().shutdown().immediate(true);
        drop(timeout(CLOSE_TIMEOUT, shutdown).await);
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        let database = self.database.clone();
        let job = async move { uploads::insert(&database, &upload, owner).await };
        self.writes.run(1, job).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        with_timeout(uploads::find(&self.database, name)).await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        let (database, locks) = (self.database.clone(), self.append_locks.clone());
        let size = drafts.len();
        let job = async move {
            let mut state = locks.lock(upload).await;
            append::append(&database, upload, drafts, &mut state).await
        };
        self.writes.run(size, job).await
    }

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        let (database, locks) = (self.database.clone(), self.append_locks.clone());
        let job = async move {
            deletions::delete_message(&database, &locks, (upload, message), by, draft).await
        };
        self.writes.run(1, job).await
    }

    async fn finish_deletions(&self, limit: usize) -> Result<Vec<Deletion>, StoreError> {
        let (database, locks) = (self.database.clone(), self.append_locks.clone());
        let from = self.abandoned_from.clone();
        let job = async move { deletions::finish_abandoned(&database, &locks, &from, limit).await };
        self.writes.run(1, job).await
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let database = self.database.clone();
        let job = async move { uploads::delete(&database, upload, by, at).await };
        self.writes.run(1, job).await
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        // MongoDB takes 0 as no limit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        with_timeout(uploads::removals(&self.database, limit)).await
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        if limit == 0 {
            return Ok(0);
        }
        let database = self.database.clone();
        let job = async move { uploads::remove_log(&database, upload, limit).await };
        self.writes.run(1, job).await
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        let database = self.database.clone();
        let job = async move { uploads::finish_removal(&database, upload).await };
        self.writes.run(1, job).await
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        with_timeout(log::page(&self.database, upload, select, limit)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        with_timeout(self.database.ping()).await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        with_timeout(pairing::read(&self.database)).await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        let database = self.database.clone();
        let job = async move { pairing::write(&database, id).await };
        self.writes.run(1, job).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        // MongoDB takes 0 as no limit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        with_timeout(uploads::newest(&self.database, limit)).await
    }

    async fn unused_short_ids(&self, short_ids: Vec<ShortId>) -> Result<Vec<ShortId>, StoreError> {
        with_timeout(uploads::unused(&self.database, short_ids)).await
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        with_timeout_of(SUM_TIMEOUT, uploads::stored_bytes(&self.database)).await
    }
}

#[async_trait]
impl Moderation for MongoStore {
    async fn add_report(&self, upload: UploadId, report: Report) -> Result<(), StoreError> {
        let database = self.database.clone();
        let job = async move { moderation::add_report(&database, upload, report).await };
        self.writes.run(1, job).await
    }

    async fn list_uploads(
        &self,
        filter: UploadFilter,
        before: Option<UploadId>,
        limit: usize,
    ) -> Result<Vec<ListedUpload>, StoreError> {
        // MongoDB takes 0 as no limit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        with_timeout(moderation::list(&self.database, filter, before, limit)).await
    }

    async fn block_image(&self, content: ContentHash) -> Result<(), StoreError> {
        let database = self.database.clone();
        let job = async move { moderation::block_image(&database, content).await };
        self.writes.run(1, job).await
    }

    async fn is_image_blocked(&self, content: ContentHash) -> Result<bool, StoreError> {
        with_timeout(moderation::is_image_blocked(&self.database, content)).await
    }

    async fn reports(&self, upload: UploadId) -> Result<Vec<Report>, StoreError> {
        with_timeout(moderation::reports(&self.database, upload)).await
    }

    async fn dismiss_reports(&self, upload: UploadId) -> Result<(), StoreError> {
        let database = self.database.clone();
        let job = async move { moderation::dismiss_reports(&database, upload).await };
        self.writes.run(1, job).await
    }

    async fn block_address(
        &self,
        address: IpAddr,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let database = self.database.clone();
        let job = async move { moderation::block_address(&database, address, until).await };
        self.writes.run(1, job).await
    }

    async fn blocked_addresses(&self) -> Result<Vec<BlockedAddress>, StoreError> {
        with_timeout(moderation::blocked_addresses(&self.database)).await
    }
}
