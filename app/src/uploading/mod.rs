//! Uploading a picture from the browser, with progress and a way to stop it.

mod failure;
mod transfer;

use std::future::Future;

use futures::future::{AbortHandle, Abortable};
use web_sys::File;

pub use failure::UploadFailure;

use crate::model::Upload;

/// Stops an upload. Cheap to clone; stopping one that is over does nothing.
#[derive(Debug, Clone)]
pub struct CancelUpload(AbortHandle);

impl CancelUpload {
    /// Stops sending; the upload's future answers [`UploadFailure::Cancelled`].
    pub fn cancel(&self) {
        self.0.abort();
    }
}

/// Uploads a picture: `POST /api/uploads`, multipart field `file`.
///
/// `max_bytes` is the server's limit, checked before anything is sent. `on_progress` is told the share of the bytes
/// that are on their way, from 0 to 1; at 1 the server is still checking the picture. Nothing happens until the
/// future is polled (`leptos::task::spawn_local`); dropping it stops the upload too. It answers the upload.
///
/// # Errors
/// The future answers an [`UploadFailure`], whose `Display` is a sentence for people.
pub fn upload(
    file: File,
    max_bytes: u64,
    on_progress: impl Fn(f64) + 'static,
) -> (
    impl Future<Output = Result<Upload, UploadFailure>> + 'static,
    CancelUpload,
) {
    let (handle, registration) = AbortHandle::new_pair();
    let sending = Abortable::new(transfer::send(file, max_bytes, on_progress), registration);
    let outcome = async move { sending.await.unwrap_or(Err(UploadFailure::Cancelled)) };
    (outcome, CancelUpload(handle))
}
