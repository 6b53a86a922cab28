//! Image bytes, by the upload's short id. Every backend passes the suite in `conformance/`.

pub mod directory;
pub mod measured;
pub mod metrics;
pub mod s3;

#[cfg(test)]
pub(crate) mod conformance;

use std::ops::Range;
use std::time::{Duration, SystemTime};

use app::model::ShortId;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use http::Method;
use tempfile::TempPath;
use thiserror::Error;

use crate::ids::PairingId;

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

/// What the answer from an address of a blob's own says of it, as the values of the headers of these names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labels<'a> {
    /// The media type.
    pub content_type: &'a str,
    /// How it is shown, and the name under which it is saved.
    pub content_disposition: &'a str,
    /// How long it may be kept.
    pub cache_control: &'a str,
}

/// An address that whoever has it can read one blob at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address itself.
    pub url: String,
    /// For how long it is good at least, from now on.
    pub lasts: Duration,
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

    /// How many bytes an answer with a blob keeps at most while its client takes none.
    fn unread(&self) -> usize;

    /// Removes the blob; fine when there is none.
    async fn delete(&self, key: ShortId) -> Result<(), BlobError>;

    /// The first `limit` blobs in the order of their keys, of those whose key comes after `after`.
    async fn list(&self, after: Option<ShortId>, limit: usize)
    -> Result<Vec<BlobEntry>, BlobError>;

    /// The id of the store that these blobs belong to; `None` before they were given one. It is read anew at each call.
    async fn pairing(&self) -> Result<Option<PairingId>, BlobError>;

    /// Gives the blobs this id unless they have one, and answers with the one that they have then. A backend without
    /// conditional writes may let the last of several calls at the same time decide; a later
    /// [`pairing`](Blobs::pairing) tells which.
    async fn pair(&self, id: PairingId) -> Result<PairingId, BlobError>;

    /// Marks the blob as an orphan from now on. It is read as before; an earlier mark stays as it is.
    async fn mark_orphan(&self, key: ShortId) -> Result<(), BlobError>;

    /// Takes the mark back; fine when there is none.
    async fn unmark_orphan(&self, key: ShortId) -> Result<(), BlobError>;

    /// The first `limit` marks in the order of their keys, of those whose key comes after `after`; `modified` is when
    /// the blob was marked. A mark may outlive its blob.
    async fn orphan_marks(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError>;

    /// Whether the backend answers.
    async fn ping(&self) -> Result<(), BlobError>;

    /// Clears away what puts that began before this time have left without ending, as those of a node that died, and
    /// says how many they were. A backend that leaves nothing does nothing.
    async fn clear_unfinished(&self, before: SystemTime) -> Result<usize, BlobError>;

    /// The origin, as `https://s3.example`, that readers are sent to for blobs; `None` when they get them here.
    fn serves_from(&self) -> Option<&str>;

    /// An address at that origin where the blob can be read with this method, GET or HEAD; `None` without such an origin.
    /// Whether it is there is not looked at.
    async fn address(
        &self,
        key: ShortId,
        method: &Method,
        labels: Labels<'_>,
    ) -> Result<Option<Address>, BlobError>;
}
