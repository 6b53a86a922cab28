use thiserror::Error;

use crate::blob::BlobError;
use crate::store::StoreError;

/// Why the check could not be completed. It does not show whether the two belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CheckError {
    /// The blobs could not be read or written.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}
