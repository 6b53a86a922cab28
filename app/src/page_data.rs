//! What the page of an image shows: read from the store on the server, and from the HTTP API in the browser.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::live::failure::ApiFailure;
use crate::model::{ShortId, UploadPage};
use crate::problem::Problem;

/// Why an image's page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
pub enum PageError {
    /// There is no such upload.
    #[error("there is no such upload")]
    NotFound,
    /// The server or its store does not answer.
    #[error("the upload cannot be read now")]
    Unavailable,
}

impl From<ApiFailure> for PageError {
    fn from(failure: ApiFailure) -> Self {
        match failure {
            ApiFailure::Refused(Problem { status: 404, .. }) | ApiFailure::Unexplained(404) => {
                Self::NotFound
            }
            _ => Self::Unavailable,
        }
    }
}

/// Where the server reads its pages' data; it stands in the context as `Arc<dyn PageSource>`.
#[cfg(feature = "ssr")]
#[async_trait::async_trait]
pub trait PageSource: Send + Sync {
    /// An upload and its newest messages.
    ///
    /// # Errors
    /// See [`PageError`].
    async fn image_page(&self, short_id: ShortId) -> Result<UploadPage, PageError>;
}

/// An upload and its newest messages.
///
/// # Errors
/// See [`PageError`].
#[cfg(feature = "ssr")]
pub async fn image_page(short_id: ShortId) -> Result<UploadPage, PageError> {
    let source: std::sync::Arc<dyn PageSource> = leptos::prelude::expect_context();
    source.image_page(short_id).await
}

/// An upload and its newest messages.
///
/// # Errors
/// See [`PageError`].
#[cfg(not(feature = "ssr"))]
pub async fn image_page(short_id: ShortId) -> Result<UploadPage, PageError> {
    use crate::live::api;
    let upload = format!("/api/uploads/{short_id}");
    let messages = format!("{upload}/messages");
    // The browser's interfaces stay on their thread, and so does all of the app there.
    send_wrapper::SendWrapper::new(async move {
        let (upload, page) = futures::try_join!(api::get(&upload), api::get(&messages))?;
        Ok(UploadPage { upload, page })
    })
    .await
}
