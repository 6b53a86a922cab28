//! The upload that a path names, and the type of a body.

use app::model::{UploadId, UploadRef};
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use http::{HeaderMap, header};
use mime::Mime;

use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::store::Store;

/// The upload that the path names, by either form of its id; an invalid id is rejected with 404.
pub struct UploadPath(pub UploadRef);

impl<S: Send + Sync> FromRequestParts<S> for UploadPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::NotFound)?;
        let id = params
            .iter()
            .find_map(|(name, id)| (name == "id").then_some(id));
        id.and_then(|id| id.parse().ok())
            .map(Self)
            .ok_or(ApiError::NotFound)
    }
}

impl UploadPath {
    /// Returns the upload's id; a short id is looked up in the store.
    ///
    /// # Errors
    /// When there is no such upload, or the store is unavailable.
    pub async fn id(self, store: &dyn Store, deadline: Deadline) -> Result<UploadId, ApiError> {
        match self.0 {
            UploadRef::Id(id) => Ok(id),
            UploadRef::Short(_) => {
                let upload = deadline.wait("store", store.upload(self.0)).await?;
                Ok(upload.id)
            }
        }
    }
}

/// Returns the media type of the request's body, from its header.
pub fn content_type(headers: &HeaderMap) -> Option<Mime> {
    headers
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
