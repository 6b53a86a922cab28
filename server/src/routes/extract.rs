//! What several calls read from a request.

use app::model::{UploadId, UploadRef};
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use http::{HeaderMap, header};
use mime::Mime;

use crate::deadline::Deadline;
use crate::problem::ApiError;
use crate::state::{AppState, Node};

/// The upload that the path names by either form of its id; anything else is no upload (404).
pub struct Named(pub UploadRef);

impl FromRequestParts<AppState> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &AppState) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, node)
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

impl Named {
    /// The id of the upload; only the short form has to be looked up.
    pub async fn id(self, node: &Node, deadline: Deadline) -> Result<UploadId, ApiError> {
        match self.0 {
            UploadRef::Id(id) => Ok(id),
            UploadRef::Short(_) => {
                let upload = deadline
                    .wait("store", node.backends.store.upload(self.0))
                    .await?;
                Ok(upload.id)
            }
        }
    }
}

/// The type of the request's body, as its client says.
pub fn content_type(headers: &HeaderMap) -> Option<Mime> {
    headers
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
