//! What the store keeps for whoever runs the service: reports of uploads, and which images and addresses are
//! blocked.

use std::fmt;
use std::net::IpAddr;

use app::model::{BlockedAddress, ListedUpload, Report, Timestamp, UploadId};
use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::secret_hash::SecretHash;

/// How many reports of an upload are kept: the newest ones.
pub const MAX_REPORTS: usize = 20;

/// How many blocked addresses are listed, and so are in force: those that are blocked for longest. No more are added.
pub const MAX_BLOCKED_ADDRESSES: usize = 1_000;

/// Which uploads to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadFilter {
    /// All that are not gone.
    All,
    /// Those of them that have reports.
    Reported,
}

/// Who wants something deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester {
    /// Somebody who has the secret of this hash, or brings none.
    Author(Option<SecretHash>),
    /// Whoever runs the service, who may delete everything.
    Admin,
}

impl Requester {
    /// Returns whether they may delete what belongs to these.
    pub(super) fn may_delete(self, owners: &[Option<SecretHash>]) -> bool {
        match self {
            Self::Admin => true,
            Self::Author(secret) => secret.is_some() && owners.contains(&secret),
        }
    }
}

impl From<Option<SecretHash>> for Requester {
    fn from(secret: Option<SecretHash>) -> Self {
        Self::Author(secret)
    }
}

/// The SHA-256 of an image as it is stored. The same file always becomes the same image, also when only its metadata
/// were changed, which are removed before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// What a backend stores.
    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<Sha256> for ContentHash {
    fn from(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentHash(…)")
    }
}

/// What a store does for whoever runs the service, beside [`super::Store`].
#[async_trait]
pub trait Moderation: Send + Sync + 'static {
    /// Adds a report to an upload. Only the newest [`MAX_REPORTS`] of an upload are kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such upload, [`StoreError::Gone`]. Undecided after
    /// [`StoreError::Unavailable`] and [`StoreError::Moved`]; repeating the call may store it twice.
    async fn add_report(&self, upload: UploadId, report: Report) -> Result<(), StoreError>;

    /// Returns uploads that are not gone with their reports, at most `limit`, the newest first: those that are older
    /// than the upload `before`, if it is given, which may be gone.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no upload `before`, [`StoreError::Unavailable`] or [`StoreError::Moved`].
    async fn list_uploads(
        &self,
        filter: UploadFilter,
        before: Option<UploadId>,
        limit: usize,
    ) -> Result<Vec<ListedUpload>, StoreError>;

    /// Returns the reports of an upload, the newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such upload, [`StoreError::Gone`], [`StoreError::Unavailable`] or
    /// [`StoreError::Moved`].
    async fn reports(&self, upload: UploadId) -> Result<Vec<Report>, StoreError>;

    /// Removes the reports of an upload.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such upload, [`StoreError::Gone`]. Undecided after
    /// [`StoreError::Unavailable`] and [`StoreError::Moved`]; repeating the call is safe.
    async fn dismiss_reports(&self, upload: UploadId) -> Result<(), StoreError>;

    /// Records that this image is refused from now on. On success that is durable.
    ///
    /// # Errors
    /// Undecided after [`StoreError::Unavailable`] and [`StoreError::Moved`]; repeating the call is safe.
    async fn block_image(&self, content: ContentHash) -> Result<(), StoreError>;

    /// Returns whether this image is refused.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`].
    async fn is_image_blocked(&self, content: ContentHash) -> Result<bool, StoreError>;

    /// Records until when an address is blocked, in place of what was recorded before; `None` means not at all. On
    /// success that is durable.
    ///
    /// # Errors
    /// Undecided after [`StoreError::Unavailable`] and [`StoreError::Moved`]; repeating the call is safe.
    async fn block_address(
        &self,
        address: IpAddr,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// Returns the addresses that are blocked now, at most [`MAX_BLOCKED_ADDRESSES`]: first those that are blocked for
    /// longest.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`].
    async fn blocked_addresses(&self) -> Result<Vec<BlockedAddress>, StoreError>;
}
