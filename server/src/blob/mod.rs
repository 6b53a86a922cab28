//! Image bytes, by the upload's short id. Every backend passes the suite in `conformance/`.

pub mod directory;
pub mod measured;
pub mod sweep;

#[cfg(test)]
pub(crate) mod conformance;

use std::ops::Range;
use std::time::SystemTime;

use app::model::ShortId;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use tempfile::TempPath;
use thiserror::Error;

/// Why the blob store did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BlobError {
    /// There are no such bytes.
    #[error("no such blob")]
    NotFound,
    /// The key is taken; make a new one and try again.
    #[error("the key is taken")]
    AlreadyExists,
    /// The backend is away or full; the same call may work later.
    #[error("the blob store is away")]
    Unavailable,
}

/// Bytes as they are read, in pieces of a bounded size.
pub type ByteStream = BoxStream<'static, Result<Bytes, BlobError>>;

/// A blob's key and age, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its key.
    pub key: ShortId,
    /// When its bytes were written.
    pub modified: SystemTime,
}

/// Where image bytes are kept. Blobs are immutable: a key is written once.
///
/// Guarantees of every backend:
/// - After `put` has answered `Ok` the whole blob is durable and readable; before that nothing of it is.
/// - Memory in use per call does not depend on the blob's size.
#[async_trait]
pub trait Blobs: Send + Sync + 'static {
    /// Keeps the file's bytes under `key`; the file is consumed (it may be renamed into place), also on failure.
    ///
    /// # Errors
    /// [`BlobError::AlreadyExists`] when the key is taken; the blob that has it stays as it is.
    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError>;

    /// The bytes `range` of the blob. The caller knows the blob's size and keeps the range within it.
    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError>;

    /// Removes the blob; fine when there is none.
    async fn delete(&self, key: ShortId) -> Result<(), BlobError>;

    /// The first `limit` blobs in the order of their keys, of those whose key comes after `after`.
    async fn list(&self, after: Option<ShortId>, limit: usize)
    -> Result<Vec<BlobEntry>, BlobError>;

    /// Whether the backend answers.
    async fn ping(&self) -> Result<(), BlobError>;
}
