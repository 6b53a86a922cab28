//! Protection against guessing ids: limits requests for uploads that do not exist.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::admission::rate_limit::RateLimits;
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;

/// Middleware of all routes that name an upload. Refuses an address that has requested too many that do not exist, and
/// counts those that do not exist, but not what is missing in one that does.
pub async fn limit_misses(
    State(rate_limits): State<Arc<RateLimits>>,
    info: RequestInfo,
    path: Result<UploadPath, ApiError>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(UploadPath(upload)) = path else {
        return next.run(request).await;
    };
    let misses = rate_limits.misses_of(info.client.rate_limit_key());
    if let Err(refused) = misses.check(upload) {
        return ApiError::from(refused).into_response();
    }
    let response = next.run(request).await;
    let is_found = response.extensions().get() == Some(&ApiError::NotInUpload);
    if response.status() == StatusCode::NOT_FOUND && !is_found {
        misses.record(upload);
    }
    response
}
