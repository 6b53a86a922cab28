use thiserror::Error;

/// Why a call of the store failed, by what that means to the caller. The backends log the causes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StoreError {
    /// There is no such upload, or no such message. Nothing was written.
    #[error("no such upload")]
    NotFound,
    /// The upload was deleted or has expired. Nothing was written.
    #[error("the upload is gone")]
    Gone,
    /// The secret is not that of an owner. Nothing was written.
    #[error("not the owner's secret")]
    Forbidden,
    /// The id or short id is taken: make new ones and try again. Nothing was written.
    #[error("the id is taken")]
    AlreadyExists,
    /// The backend is unavailable or overloaded. The call may succeed later; a write may have been done, or may still
    /// be.
    #[error("the store is unavailable")]
    Unavailable,
    /// The files of the embedded database were moved away or replaced while it was open. Writes are refused until the
    /// files are back; one that was committed just before may be in the moved files only.
    #[error("the store's files were moved away")]
    Moved,
}
