//! What the store keeps for whoever runs the service: reports of uploads, and which images are refused.

use std::fmt;

use app::model::{ReportReason, Timestamp, Upload};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::secret_hash::SecretHash;

/// How many reports of an upload are kept: the newest ones.
pub const MAX_REPORTS: usize = 20;

/// What somebody has reported of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What they wrote.
    pub reason: ReportReason,
    /// When the node received it.
    pub created_at: Timestamp,
}

/// An upload with its reports, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedUpload {
    /// The upload.
    #[serde(flatten)]
    pub upload: Upload,
    /// At most [`MAX_REPORTS`].
    pub reports: Vec<Report>,
}

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
