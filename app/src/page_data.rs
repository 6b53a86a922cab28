//! The data of an upload's page: read from the store on the server, and from the HTTP API in the browser.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::live::failure::ApiFailure;
#[cfg(not(feature = "ssr"))]
use crate::model::LogPage;
use crate::model::{ShortId, UploadPage};
use crate::problem::Problem;

/// Why an upload's page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
pub enum PageError {
    /// There is no such upload.
    #[error("there is no such upload")]
    NotFound,
    /// The upload was deleted or has expired.
    #[error("the upload is gone")]
    Gone,
    /// The server or its store is unavailable.
    #[error("the upload cannot be read now")]
    Unavailable,
}

impl From<ApiFailure> for PageError {
    fn from(failure: ApiFailure) -> Self {
        match failure {
            ApiFailure::Refused(Problem { status: 404, .. }) | ApiFailure::Unexplained(404) => {
                Self::NotFound
            }
            ApiFailure::Refused(Problem { status: 410, .. }) | ApiFailure::Unexplained(410) => {
                Self::Gone
            }
            _ => Self::Unavailable,
        }
    }
}

/// Reads the pages' data on the server. Provided in the context as `Arc<dyn PageSource>`.
#[cfg(feature = "ssr")]
#[async_trait::async_trait]
pub trait PageSource: Send + Sync {
    /// Returns an upload and its newest messages.
    ///
    /// # Errors
    /// See [`PageError`].
    async fn image_page(&self, short_id: ShortId) -> Result<UploadPage, PageError>;
}

/// Returns an upload and its newest messages.
///
/// # Errors
/// See [`PageError`].
#[cfg(feature = "ssr")]
pub async fn image_page(short_id: ShortId) -> Result<UploadPage, PageError> {
    let source: std::sync::Arc<dyn PageSource> = leptos::prelude::expect_context();
    source.image_page(short_id).await
}

/// Returns an upload and its newest messages.
///
/// # Errors
/// See [`PageError`].
#[cfg(not(feature = "ssr"))]
pub async fn image_page(short_id: ShortId) -> Result<UploadPage, PageError> {
    use crate::live::api;
    let upload = format!("/api/uploads/{short_id}");
    let messages = format!("{upload}/messages");
    // JavaScript values are not `Send`; a browser has one thread.
    send_wrapper::SendWrapper::new(async move {
        let first = format!("{messages}?after=0&limit=1");
        let (upload, page, first) =
            futures::try_join!(api::get(&upload), api::get(&messages), api::get(&first))?;
        let first: LogPage = first;
        let first = first.messages().next().map(|first| first.content.clone());
        Ok(UploadPage {
            upload,
            page,
            first,
        })
    })
    .await
}
