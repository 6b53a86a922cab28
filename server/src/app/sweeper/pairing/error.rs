use thiserror::Error;

use crate::blob::BlobError;
use crate::store::StoreError;

/// Why the check came to no end. It says nothing about whether the two belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CheckError {
    /// The blobs.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
