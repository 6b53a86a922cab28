//! Image bytes as objects of an S3 bucket, for any number of nodes.
//!
//! An object's key is the blob's: it starts with random characters, so that a server which spreads objects by their
//! keys spreads them evenly. Beside them lie `pairing.id` and, under `orphans/`, an empty object for each blob that is
//! marked. The bucket is for images alone: what else has a name of 8 letters and digits is taken for an image that no
//! upload refers to, and removed in the end.
//!
//! A key that is taken is refused: by a look before the bytes are sent, and by a condition that the server checks
//! when the object is about to show (`If-None-Match: *`). A server that knows no such condition leaves only the look,
//! and two puts of one key at the same moment could replace one another there; keys are drawn from 62⁸.

mod address;
mod bucket;
mod error;
mod list;
mod multipart;
mod notes;
mod open;
mod progress;
mod put;
mod read;
mod writer;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime};

use app::model::ShortId;
use async_trait::async_trait;
use http::Method;
use tempfile::TempPath;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::address::Addresses;
use self::bucket::Bucket;
pub use self::open::OpenError;
use self::put::Put;
use self::writer::{Conditions, Writer};
use super::{Address, BlobEntry, BlobError, Blobs, ByteStream, Labels};
use crate::config;
use crate::fs::scratch::ScratchFolder;
use crate::ids::PairingId;

/// How long uploads that were given up may still be cleared away when the node leaves.
const CLEARING: Duration = Duration::from_secs(2);

/// Blobs in a bucket.
pub struct S3Blobs {
    writer: Writer,
    addresses: Option<Addresses>,
    scratch: ScratchFolder,
}

impl S3Blobs {
    /// Opens the bucket, and proves that it is there and that the key opens it. Files on their way into it lie in a
    /// folder of this process's own in `folder`, which processes may share.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(config: &config::S3, folder: &Path) -> Result<Self, OpenError> {
        let bucket = Bucket::of(config);
        open::prove(&bucket, config).await?;
        let addresses = if config.redirect {
            Some(Addresses::of(&bucket, config).await?)
        } else {
            None
        };
        Ok(Self {
            writer: Writer {
                bucket,
                conditions: Conditions::default(),
                clearing: TaskTracker::new(),
                stall: progress::STALL,
            },
            addresses,
            scratch: open::scratch(folder).await?,
        })
    }

    /// Where the files have to be made that are to be [`put`](Blobs::put).
    pub fn temp_dir(&self) -> &Path {
        self.scratch.path()
    }

    #[cfg(test)]
    fn with_stall(mut self, stall: Duration) -> Self {
        self.writer.stall = stall;
        self
    }

    /// Clears away what uploads that were given up have left; for 2 s at most.
    pub async fn close(&self) {
        self.writer.clearing.close();
        // What is left is swept by another node, in a day.
        drop(timeout(CLEARING, self.writer.clearing.wait()).await);
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError> {
        Put::new(&self.writer, key, &file).run().await
    }

    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError> {
        read::read(&self.writer.bucket, key, range).await
    }

    fn unread(&self) -> usize {
        read::UNREAD
    }

    async fn delete(&self, key: ShortId) -> Result<(), BlobError> {
        self.writer.bucket.delete(key.as_str()).await
    }

    async fn list(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        list::list(&self.writer.bucket, "", after, limit).await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, BlobError> {
        self.writer.read_pairing().await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, BlobError> {
        self.writer.write_pairing(id).await
    }

    async fn mark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.writer
            .make_note(&notes::mark_of(key), String::new())
            .await
    }

    async fn unmark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.writer.bucket.delete(&notes::mark_of(key)).await
    }

    async fn orphan_marks(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        list::list(&self.writer.bucket, notes::ORPHANS, after, limit).await
    }

    async fn ping(&self) -> Result<(), BlobError> {
        self.writer.bucket.ping().await
    }

    async fn clear_unfinished(&self, before: SystemTime) -> Result<usize, BlobError> {
        list::clear_unfinished(&self.writer.bucket, before).await
    }

    fn serves_from(&self) -> Option<&str> {
        self.addresses.as_ref().map(Addresses::origin)
    }

    async fn address(
        &self,
        key: ShortId,
        method: &Method,
        labels: Labels<'_>,
    ) -> Result<Option<Address>, BlobError> {
        match &self.addresses {
            Some(addresses) => addresses.find(key, method, labels).await.map(Some),
            None => Ok(None),
        }
    }
}
