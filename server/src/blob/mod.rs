//! The bytes of images, by the upload's short id. Every backend passes the tests in `conformance/`.

pub mod directory;
pub mod file_stream;
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

/// Why a call of the blob store failed. The backends log the causes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("no such blob")]
    NotFound,
    /// The key is taken: make a new one and try again. The blob that has it was not changed.
    #[error("the key is taken")]
    AlreadyExists,
    /// The backend is unavailable or full. The call may succeed later; a write may have been done, or may still be.
    #[error("the blob store is unavailable")]
    Unavailable,
}

/// A blob's bytes, in chunks of a bounded size. Ends after the first error.
pub type ByteStream = BoxStream<'static, Result<Bytes, BlobError>>;

/// A blob's key and time, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobEntry {
    /// The upload's short id.
    pub key: ShortId,
    /// When it was written.
    pub modified: SystemTime,
}

/// A picture that was made of a blob's image. It belongs to the blob, and can be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Derived {
    /// At most 640 pixels wide.
    W640,
    /// At most 1,280 pixels wide.
    W1280,
    /// At most 2,560 pixels wide.
    W2560,
    /// For link previews.
    Preview,
    /// Tiny: stands blurred in the page until the picture is there.
    Placeholder,
}

impl Derived {
    /// The version of the pictures: changed whenever other bytes are made of the same image. It is part of their names
    /// in the backends and of their entity tags, so that a picture of another version is never taken for this one.
    const VERSION: u32 = 2;

    /// All of them. A blob may also have those of other versions, which belong to it too.
    pub const ALL: [Self; 5] = [
        Self::W640,
        Self::W1280,
        Self::W2560,
        Self::Preview,
        Self::Placeholder,
    ];

    /// Returns its largest width in pixels, if it is one of those that are asked for by their width.
    pub fn width(self) -> Option<u32> {
        match self {
            Self::W640 => Some(640),
            Self::W1280 => Some(1280),
            Self::W2560 => Some(2560),
            Self::Preview | Self::Placeholder => None,
        }
    }

    /// Returns its name with the version, as it is stored.
    pub fn versioned_name(self) -> String {
        format!("{}-{}", self.name(), Self::VERSION)
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::W640 => "640",
            Self::W1280 => "1280",
            Self::W2560 => "2560",
            Self::Preview => "preview",
            Self::Placeholder => "placeholder",
        }
    }
}

/// The values of headers that a presigned URL's response has.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResponseHeaders<'a> {
    /// `Content-Type`.
    pub content_type: &'a str,
    /// `Content-Disposition`.
    pub content_disposition: &'a str,
    /// `Cache-Control`.
    pub cache_control: &'a str,
}

/// A URL that gives anyone who has it access to one blob for a limited time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedUrl {
    /// With its signature: whoever has it may read the blob.
    pub url: String,
    /// How long it is valid from now on, at least.
    pub valid_for: Duration,
}

/// Stores the bytes of images. Blobs are immutable: a key is written once.
///
/// Guarantees of every backend:
/// - When `put` has returned `Ok`, the whole blob is durable and readable; before that no part of it is readable.
/// - The memory that a call uses does not depend on the blob's size.
/// - Dropping the future of a write leaves it done or not done, never half done.
///
/// Every call may fail with [`BlobError::Unavailable`]. After that it is undecided whether a write was done, or will be
/// done later; each method says what repeating it does.
#[async_trait]
pub trait Blobs: Send + Sync + 'static {
    /// Stores the file's content under `key`. The file is consumed (it may be renamed into place), also on failure. May
    /// take as long as a large file needs.
    ///
    /// # Errors
    /// [`BlobError::AlreadyExists`] when the key is taken; its blob is not changed. Undecided after
    /// [`BlobError::Unavailable`]: the whole blob may be stored, or may be later. Another try needs the file again and
    /// a new key, since the old one may be taken.
    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError>;

    /// Returns these bytes of the blob. The caller knows the blob's size and keeps the range within it.
    ///
    /// # Errors
    /// [`BlobError::NotFound`] when there is no such blob. The stream may fail with [`BlobError::Unavailable`] after
    /// some of the bytes.
    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError>;

    /// Returns how many bytes of a blob the node buffers at most while the client reads none.
    fn read_buffer_bytes(&self) -> usize;

    /// Deletes the blob and what was derived from it, in all versions. Succeeds if there is nothing.
    ///
    /// # Errors
    /// Undecided after [`BlobError::Unavailable`]; repeating it is safe.
    async fn delete(&self, key: ShortId) -> Result<(), BlobError>;

    /// Returns the first `limit` blobs after `after`, in the order of their keys. Fewer mean that there are no more. A
    /// blob that is put or deleted meanwhile may be included or not.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    async fn list(&self, after: Option<ShortId>, limit: usize)
    -> Result<Vec<BlobEntry>, BlobError>;

    /// Stores a picture that was derived from the blob, or replaces it. The file is consumed, as by
    /// [`put`](Blobs::put). Whether there is such a blob is not checked.
    ///
    /// # Errors
    /// Undecided after [`BlobError::Unavailable`]; repeating it is safe.
    async fn put_derived(
        &self,
        key: ShortId,
        derived: Derived,
        file: TempPath,
    ) -> Result<(), BlobError>;

    /// Returns a derived picture's size in bytes, and its bytes.
    ///
    /// # Errors
    /// As [`read`](Blobs::read).
    async fn read_derived(
        &self,
        key: ShortId,
        derived: Derived,
    ) -> Result<(u64, ByteStream), BlobError>;

    /// Returns the first `limit` keys after `after` that have derived pictures of any version, whether or not there is
    /// such a blob; `modified` is when the last of these pictures was written. Otherwise as [`list`](Blobs::list),
    /// which does not include them.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    async fn list_derived(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError>;

    /// Returns the id of the store that these blobs belong to; `None` if they have not been given one yet. Each call
    /// reads it again.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] also when the stored id is invalid.
    async fn pairing(&self) -> Result<Option<PairingId>, BlobError>;

    /// Gives the blobs this id unless they have one, and returns the one that they have then. Without conditional
    /// writes the last of several concurrent calls may win; a later [`pairing`](Blobs::pairing) returns which.
    ///
    /// # Errors
    /// Undecided after [`BlobError::Unavailable`]; a repeated call returns the id that was stored, if one was.
    async fn pair(&self, id: PairingId) -> Result<PairingId, BlobError>;

    /// Marks the blob as an orphan. It can still be read; an earlier mark keeps its time.
    ///
    /// # Errors
    /// Undecided after [`BlobError::Unavailable`]; repeating it is safe.
    async fn mark_orphan(&self, key: ShortId) -> Result<(), BlobError>;

    /// Removes the mark. Succeeds if there is none.
    ///
    /// # Errors
    /// Undecided after [`BlobError::Unavailable`]; repeating it is safe.
    async fn unmark_orphan(&self, key: ShortId) -> Result<(), BlobError>;

    /// Returns the first `limit` marks after `after`, in the order of their keys; `modified` is when the blob was
    /// marked. A mark may outlive its blob.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    async fn orphan_marks(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError>;

    /// Checks that the backend answers.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when it does not.
    async fn ping(&self) -> Result<(), BlobError>;

    /// Removes what unfinished puts that began before this time have left, for example those of nodes that died, and
    /// returns how many there were. Does nothing where they leave nothing.
    ///
    /// # Errors
    /// Undecided after [`BlobError::Unavailable`]: some may be removed; the next call continues.
    async fn clear_unfinished(&self, before: SystemTime) -> Result<usize, BlobError>;

    /// Returns the origin of presigned URLs, such as `https://s3.example`; `None` if the node serves blobs itself.
    fn redirect_origin(&self) -> Option<&str>;

    /// Returns a URL for reading the blob with this method, GET or HEAD; `None` if the node serves blobs itself. Does
    /// not check whether the blob exists.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when it cannot be signed.
    async fn presigned_url(
        &self,
        key: ShortId,
        method: &Method,
        headers: ResponseHeaders<'_>,
    ) -> Result<Option<PresignedUrl>, BlobError>;
}
