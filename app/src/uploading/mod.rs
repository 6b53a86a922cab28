//! Uploads an image from the browser, with progress and cancellation.

mod failure;
mod transfer;

use std::future::Future;

use futures::future::{AbortHandle, Abortable};
use web_sys::File;

pub use failure::UploadFailure;

use crate::model::Upload;

/// Cancels an upload. Cheap to clone; cancelling a finished one does nothing.
#[derive(Debug, Clone)]
pub struct CancelUpload(AbortHandle);

impl CancelUpload {
    /// Stops sending; the upload's future resolves to [`UploadFailure::Cancelled`].
    pub fn cancel(&self) {
        self.0.abort();
    }
}

/// Uploads an image: `POST /api/uploads`, multipart field `file`, and `expiresIn` if it expires after so many seconds.
///
/// `max_bytes` is the server's limit, checked before anything is sent. `on_progress` is called with the fraction of the
/// bytes that have been sent, 0 to 1; at 1 the server is still checking the image. Nothing happens until the future is
/// polled; dropping it cancels the upload.
///
/// # Errors
/// The future resolves to an [`UploadFailure`], whose `Display` is a sentence for people.
pub fn upload(
    file: File,
    max_bytes: u64,
    expires_in: Option<u32>,
    on_progress: impl Fn(f64) + 'static,
) -> (
    impl Future<Output = Result<Upload, UploadFailure>> + 'static,
    CancelUpload,
) {
    let (handle, registration) = AbortHandle::new_pair();
    let sending = transfer::send(file, max_bytes, expires_in, on_progress);
    let sending = Abortable::new(sending, registration);
    let outcome = async move { sending.await.unwrap_or(Err(UploadFailure::Cancelled)) };
    (outcome, CancelUpload(handle))
}
