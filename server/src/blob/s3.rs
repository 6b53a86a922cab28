//! The blob store in an S3 bucket, for any number of nodes.
//!
//! An object's key is the blob's. Since it starts with random characters, a server that partitions objects by their
//! keys distributes them evenly. Beside the blobs there are `pairing.id` and, under `orphans/`, an empty object for
//! each marked blob. The bucket is for images only: anything else whose name has 8 letters and digits is taken for an
//! orphan, and removed in the end.
//!
//! A taken key is refused by two checks: one before the bytes are sent, and one by the server when the object is
//! created (`If-None-Match: *`). With a server that does not support this condition only the first one is left, so two
//! concurrent puts of one key could replace one another; keys are drawn from 62⁸.

mod bucket;
mod derived;
mod error;
mod list;
mod marks;
mod multipart;
mod open;
mod pairing;
mod presigned;
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

use self::bucket::Bucket;
pub use self::open::OpenError;
use self::presigned::UrlSigner;
use self::put::Put;
use self::writer::{ConditionalWrites, Writer};
use super::{BlobEntry, BlobError, Blobs, ByteStream, Derived, PresignedUrl, ResponseHeaders};
use crate::config;
use crate::fs::scratch::ScratchFolder;
use crate::ids::PairingId;

/// How long aborting abandoned multipart uploads may take when the node stops.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The blob store in a bucket.
pub struct S3Blobs {
    bucket: Bucket,
    writer: Writer,
    url_signer: Option<UrlSigner>,
    scratch: ScratchFolder,
}

impl S3Blobs {
    /// Opens the bucket, and checks that it exists and that the credentials give access. Files to be uploaded are put
    /// into a subfolder of `folder` for this process; several processes may share `folder`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(config: &config::S3, folder: &Path) -> Result<Self, OpenError> {
        let bucket = Bucket::of(config);
        open::check_bucket(&bucket, config).await?;
        let url_signer = if config.redirect {
            Some(UrlSigner::of(&bucket, config).await?)
        } else {
            None
        };
        Ok(Self {
            writer: Writer {
                bucket: bucket.clone(),
                conditional_writes: ConditionalWrites::default(),
                cleanup: TaskTracker::new(),
                stall_timeout: progress::STALL_TIMEOUT,
            },
            bucket,
            url_signer,
            scratch: open::create_scratch(folder).await?,
        })
    }

    /// Returns the folder in which files for [`put`](Blobs::put) must be created.
    pub fn temp_dir(&self) -> &Path {
        self.scratch.path()
    }

    #[cfg(test)]
    fn with_stall_timeout(mut self, stall_timeout: Duration) -> Self {
        self.writer.stall_timeout = stall_timeout;
        self
    }

    /// Waits for aborting abandoned multipart uploads, at most 2 s.
    pub async fn close(&self) {
        self.writer.cleanup.close();
        // What is left is removed by a node's sweep after a day.
        drop(timeout(CLEANUP_TIMEOUT, self.writer.cleanup.wait()).await);
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError> {
        Put::new(&self.writer, key, &file).run().await
    }

    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError> {
        read::read(&self.bucket, key, range).await
    }

    fn read_buffer_bytes(&self) -> usize {
        read::READ_BUFFER_BYTES
    }

    async fn delete(&self, key: ShortId) -> Result<(), BlobError> {
        self.bucket.delete(key.as_str()).await?;
        derived::delete(&self.bucket, key).await
    }

    async fn list(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        list::list(&self.bucket, "", after, limit).await
    }

    async fn put_derived(
        &self,
        key: ShortId,
        derived: Derived,
        file: TempPath,
    ) -> Result<(), BlobError> {
        derived::put(&self.writer, key, derived, &file).await
    }

    async fn read_derived(
        &self,
        key: ShortId,
        derived: Derived,
    ) -> Result<(u64, ByteStream), BlobError> {
        derived::read(&self.bucket, key, derived).await
    }

    async fn list_derived(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        derived::list(&self.bucket, after, limit).await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, BlobError> {
        self.writer.read_pairing().await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, BlobError> {
        self.writer.write_pairing(id).await
    }

    async fn mark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.writer
            .create_if_absent(&marks::mark_of(key), String::new())
            .await
    }

    async fn unmark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.bucket.delete(&marks::mark_of(key)).await
    }

    async fn orphan_marks(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        list::list(&self.bucket, marks::ORPHANS, after, limit).await
    }

    async fn ping(&self) -> Result<(), BlobError> {
        self.bucket.ping().await
    }

    async fn clear_unfinished(&self, before: SystemTime) -> Result<usize, BlobError> {
        list::clear_unfinished(&self.bucket, before).await
    }

    fn redirect_origin(&self) -> Option<&str> {
        self.url_signer.as_ref().map(UrlSigner::origin)
    }

    async fn presigned_url(
        &self,
        key: ShortId,
        method: &Method,
        headers: ResponseHeaders<'_>,
    ) -> Result<Option<PresignedUrl>, BlobError> {
        match &self.url_signer {
            Some(url_signer) => url_signer.presign(key, method, headers).await.map(Some),
            None => Ok(None),
        }
    }
}
