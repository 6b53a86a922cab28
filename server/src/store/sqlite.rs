//! The store in an SQLite file, for a single node. One thread writes, and commits all jobs that wait in one
//! transaction, so that concurrent posts share a disk sync; a few connections read concurrently.

mod error;
mod files;
mod heads;
mod inspect;
mod log;
mod moderation;
mod pairing;
mod reader;
mod row;
mod schema;
mod uploads;
mod writer;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use app::model::{
    BlockedAddress, ListedUpload, LogPage, Report, ShortId, Timestamp, Upload, UploadId, UploadRef,
};
use async_trait::async_trait;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::error;

pub use error::OpenError;

use self::error::Failure;
use self::files::OpenedFiles;
use self::heads::Heads;
use self::log::Done;
use self::reader::Readers;
use self::writer::Writer;
use super::{
    Appended, ContentHash, Deleted, DeletionDraft, Draft, MessageRef, Moderation, Removal,
    Requester, SUM_TIMEOUT, SecretHash, Select, Store, StoreError, UploadFilter,
};
use crate::fs::folder::{self, FolderLock};
use crate::fs::write_check::WriteCheck;
use crate::ids::PairingId;

/// The name of the database file in the data folder. SQLite keeps two more files beside it while it is open.
pub const DATABASE_FILE: &str = "tonesa.db";

/// How long a call may take: less than the 3 seconds within which it has to return.
const CALL_TIMEOUT: Duration = Duration::from_millis(2_800);

/// The store in a data folder. A write that timed out may still be done later; a client that repeats a post then gets
/// the message that was stored.
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
    heads: Heads,
    write_check: WriteCheck,
    files: OpenedFiles,
}

impl SqliteStore {
    /// Opens the database in `folder`, creates both if they do not exist, and locks the folder for this process.
    /// Blocks; meant for the start of a node.
    ///
    /// # Errors
    /// When another process uses the folder, when it cannot be written to, or when the database is damaged or
    /// incomplete.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_for_node(folder, CancellationToken::new())
    }

    /// The same for a node, whose `stopping` is cancelled if the thread that writes panics.
    ///
    /// # Errors
    /// See [`SqliteStore::open`].
    pub fn open_for_node(folder: &Path, stopping: CancellationToken) -> Result<Self, OpenError> {
        let lock = FolderLock::acquire(folder)?;
        let file = folder.join(DATABASE_FILE);
        let unusable = |error| OpenError::unusable(&file, error);
        files::refuse_orphaned_log(&file)?;
        // SQLite gives its other files the same permissions.
        folder::create_private_file(&file).map_err(unusable)?;
        let connection = schema::open_writer(&file)?;
        folder::sync(folder).map_err(unusable)?;
        let files = OpenedFiles::of(&file).map_err(unusable)?;
        let writer = Writer::start(connection, files.clone(), lock, stopping).map_err(unusable)?;
        Ok(Self {
            readers: Readers::new(files.clone()),
            writer,
            heads: Heads::default(),
            write_check: WriteCheck::default(),
            files,
        })
    }

    /// Returns what a job records of a log's head after its commit.
    fn record_head<T>(&self, upload: UploadId) -> impl FnOnce(&Done<T>) + Send + 'static {
        let heads = self.heads.clone();
        move |(_, head): &Done<T>| {
            if let Some(head) = head {
                heads.record(upload, *head);
            }
        }
    }

    /// Executes the pending writes, closes the database and unlocks the folder; later calls fail with
    /// [`StoreError::Unavailable`]. Dropping the store does the same in the background.
    pub async fn close(&self) {
        self.readers.stop().await;
        self.writer.stop().await;
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        let job = move |connection: &_| uploads::insert(connection, &upload, owner);
        with_timeout(self.writer.run(1, job, |()| ())).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        let job = move |connection: &_| uploads::find(connection, name);
        with_timeout(self.readers.run(job)).await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        let size = drafts.len();
        let job = move |connection: &_| log::append(connection, upload, drafts);
        let appended = with_timeout(self.writer.run(size, job, self.record_head(upload)));
        Ok(appended.await?.0)
    }

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        let job = move |connection: &_| log::delete_message(connection, upload, message, by, draft);
        let deleted = with_timeout(self.writer.run(1, job, self.record_head(upload)));
        Ok(deleted.await?.0)
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let job = move |connection: &_| uploads::delete(connection, upload, by, at);
        let heads = self.heads.clone();
        with_timeout(self.writer.run(1, job, move |()| heads.forget(upload))).await
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        let job = move |connection: &_| uploads::removals(connection, limit);
        with_timeout(self.readers.run(job)).await
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        let job = move |connection: &_| uploads::remove_log(connection, upload, limit);
        let heads = self.heads.clone();
        with_timeout(self.writer.run(1, job, move |_| heads.forget(upload))).await
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        let job = move |connection: &_| uploads::finish_removal(connection, upload);
        with_timeout(self.writer.run(1, job, |()| ())).await
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        if let (Select::Newest, 0, Some(head)) = (select, limit, self.heads.get(upload)) {
            let entries = Vec::new();
            return Ok(LogPage { entries, head });
        }
        let job = move |connection: &_| log::page(connection, upload, select, limit);
        with_timeout(self.readers.run(job)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        with_timeout(async {
            self.files.check_in_place()?;
            if self.write_check.is_due() {
                self.writer.run(1, schema::rewrite_version, |()| ()).await?;
                self.write_check.record();
            } else {
                self.writer.run(1, |_| Ok(()), |()| ()).await?;
            }
            self.readers.run(schema::read_probe).await
        })
        .await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        let files = self.files.clone();
        with_timeout(self.readers.run(move |_| pairing::read_fresh(&files))).await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        let job = move |connection: &_| pairing::write(connection, id);
        with_timeout(self.writer.run(1, job, |_| ())).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        let job = move |connection: &_| uploads::newest(connection, limit);
        with_timeout(self.readers.run(job)).await
    }

    async fn unused_short_ids(&self, short_ids: Vec<ShortId>) -> Result<Vec<ShortId>, StoreError> {
        let job = move |connection: &_| uploads::unused(connection, short_ids);
        with_timeout(self.readers.run(job)).await
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        with_timeout_of(SUM_TIMEOUT, self.readers.run(uploads::stored_bytes)).await
    }
}

#[async_trait]
impl Moderation for SqliteStore {
    async fn add_report(&self, upload: UploadId, report: Report) -> Result<(), StoreError> {
        let job = move |connection: &_| moderation::add_report(connection, upload, &report);
        with_timeout(self.writer.run(1, job, |()| ())).await
    }

    async fn list_uploads(
        &self,
        filter: UploadFilter,
        before: Option<UploadId>,
        limit: usize,
    ) -> Result<Vec<ListedUpload>, StoreError> {
        let job = move |connection: &_| moderation::list(connection, filter, before, limit);
        with_timeout(self.readers.run(job)).await
    }

    async fn block_image(&self, content: ContentHash) -> Result<(), StoreError> {
        let job = move |connection: &_| moderation::block_image(connection, content);
        with_timeout(self.writer.run(1, job, |()| ())).await
    }

    async fn is_image_blocked(&self, content: ContentHash) -> Result<bool, StoreError> {
        let job = move |connection: &_| moderation::is_image_blocked(connection, content);
        with_timeout(self.readers.run(job)).await
    }

    async fn reports(&self, upload: UploadId) -> Result<Vec<Report>, StoreError> {
        let job = move |connection: &_| moderation::reports(connection, upload);
        with_timeout(self.readers.run(job)).await
    }

    async fn dismiss_reports(&self, upload: UploadId) -> Result<(), StoreError> {
        let job = move |connection: &_| moderation::dismiss_reports(connection, upload);
        with_timeout(self.writer.run(1, job, |()| ())).await
    }

    async fn block_address(
        &self,
        address: IpAddr,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let job = move |connection: &_| moderation::block_address(connection, address, until);
        with_timeout(self.writer.run(1, job, |()| ())).await
    }

    async fn blocked_addresses(&self) -> Result<Vec<BlockedAddress>, StoreError> {
        with_timeout(self.readers.run(moderation::blocked_addresses)).await
    }
}

/// Runs a call with the timeout of most calls; see [`with_timeout_of`].
async fn with_timeout<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
    with_timeout_of(CALL_TIMEOUT, call).await
}

/// Runs a call with a timeout, logs its failure, and maps that to the caller's error.
async fn with_timeout_of<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, StoreError> {
    match timeout(limit, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Failure::Refused(error))) => Err(error),
        Ok(Err(Failure::Driver(error))) => {
            error!(%error, "SQLite failed");
            Err(StoreError::Unavailable)
        }
        Err(_) => {
            error!("SQLite timed out");
            Err(StoreError::Unavailable)
        }
    }
}
