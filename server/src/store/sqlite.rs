//! Uploads and messages in one SQLite file, for a node that stands alone. One thread writes and commits whatever waits
//! as one transaction, so that concurrent posts share a disk sync; a few connections read beside it.

mod error;
mod files;
mod heads;
mod inspect;
mod messages;
mod pairing;
mod reader;
mod row;
mod schema;
mod uploads;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use app::model::{MessagePage, ShortId, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use tokio::time::timeout;
use tracing::error;

pub use error::OpenError;

use self::error::Failure;
use self::files::OpenedFiles;
use self::heads::Heads;
use self::reader::Readers;
use self::writer::Writer;
use super::{Appended, Draft, Select, Store, StoreError};
use crate::fs::folder::{self, FolderClaim};
use crate::fs::write_proof::Proof;
use crate::ids::PairingId;

/// The database's name in the data folder. SQLite keeps two more files beside it while it is open.
pub const DATABASE_FILE: &str = "tonesa.db";

/// How long a call waits: less than the 3 seconds in which it has to answer.
const PATIENCE: Duration = Duration::from_millis(2_800);

/// The store in a data folder. A write that has not been answered in time may still be done later; who repeats a post
/// gets the message that it made.
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
    heads: Heads,
    writes: Proof,
    files: OpenedFiles,
}

impl SqliteStore {
    /// Opens the database in `folder`, makes both if need be, and claims the folder for this process. It blocks: it
    /// is for the start of a node.
    ///
    /// # Errors
    /// When another process has the folder, when it cannot be written to, or when the database is damaged or lacks a
    /// part.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let claim = FolderClaim::take(folder)?;
        let file = folder.join(DATABASE_FILE);
        let unusable = |error| OpenError::unusable(&file, error);
        files::refuse_log_alone(&file)?;
        // SQLite gives the files beside it the same rights.
        folder::create_private_file(&file).map_err(unusable)?;
        let connection = schema::open_writer(&file)?;
        folder::sync(folder).map_err(unusable)?;
        let files = OpenedFiles::of(&file).map_err(unusable)?;
        let writer = Writer::start(connection, files.clone(), claim).map_err(unusable)?;
        Ok(Self {
            readers: Readers::new(files.clone()),
            writer,
            heads: Heads::default(),
            writes: Proof::default(),
            files,
        })
    }

    /// Writes what waits, closes the database and gives up the folder; calls made later are answered with
    /// [`StoreError::Unavailable`]. A store that is dropped instead does the same in the background.
    pub async fn close(&self) {
        self.readers.stop().await;
        self.writer.stop().await;
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn insert_upload(&self, upload: Upload) -> Result<(), StoreError> {
        let job = move |connection: &_| uploads::insert(connection, &upload);
        in_time(self.writer.run(1, job, |()| ())).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        let job = move |connection: &_| uploads::find(connection, name);
        in_time(self.readers.run(job)).await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        let size = drafts.len();
        let job = move |connection: &_| messages::append(connection, upload, drafts);
        let heads = self.heads.clone();
        let note = move |appended: &Vec<_>| heads.committed(upload, appended);
        in_time(self.writer.run(size, job, note)).await
    }

    async fn messages(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<MessagePage, StoreError> {
        if let (Select::Newest, 0, Some(head)) = (select, limit, self.heads.of(upload)) {
            let messages = Vec::new();
            return Ok(MessagePage { messages, head });
        }
        let job = move |connection: &_| messages::page(connection, upload, select, limit);
        in_time(self.readers.run(job)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        in_time(async {
            self.files.in_place()?;
            if self.writes.is_due() {
                self.writer.run(1, schema::touch, |()| ()).await?;
                self.writes.renew();
            } else {
                self.writer.run(1, |_| Ok(()), |()| ()).await?;
            }
            self.readers.run(schema::probe).await
        })
        .await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        let files = self.files.clone();
        in_time(self.readers.run(move |_| pairing::read_anew(&files))).await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        let job = move |connection: &_| pairing::write(connection, id);
        in_time(self.writer.run(1, job, |_| ())).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        let job = move |connection: &_| uploads::newest(connection, limit);
        in_time(self.readers.run(job)).await
    }
}

/// Waits for an answer, but not for too long, and says what a failure means to the caller.
async fn in_time<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
    match timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Failure::Refused(error))) => Err(error),
        Ok(Err(Failure::Driver(error))) => {
            error!(%error, "SQLite did not do it");
            Err(StoreError::Unavailable)
        }
        Err(_) => {
            error!("SQLite did not answer in time");
            Err(StoreError::Unavailable)
        }
    }
}
