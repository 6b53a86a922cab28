//! Image bytes, by the upload's short id. Every backend passes the suite in `conformance.rs`.

use std::ops::Range;

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
    /// The backend is away or full; the same call may work later.
    #[error("the blob store is away")]
    Unavailable,
}

/// Bytes as they are read, in pieces of a bounded size.
pub type ByteStream = BoxStream<'static, Result<Bytes, BlobError>>;

/// Where image bytes are kept. Blobs are immutable: a key is written once.
///
/// Guarantees of every backend:
/// - After `put` has answered `Ok` the whole blob is durable and readable; before that nothing of it is.
/// - Memory in use per call does not depend on the blob's size.
#[async_trait]
pub trait Blobs: Send + Sync + 'static {
    /// Keeps the file's bytes under `key`; the file is consumed (it may be renamed into place).
    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError>;

    /// The bytes `range` of the blob. The caller knows the blob's size and keeps the range within it.
    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError>;

    /// Removes the blob; fine when there is none.
    async fn delete(&self, key: ShortId) -> Result<(), BlobError>;

    /// Whether the backend answers.
    async fn ping(&self) -> Result<(), BlobError>;
}
