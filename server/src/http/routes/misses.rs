//! What holds for every route that names an upload: nobody finds one by trying.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::admission::rate_limit::RateLimits;
use crate::http::error::ApiError;
use crate::http::extract::client_address::Arrival;
use crate::http::extract::upload_path::Named;

/// Refuses an address that has asked for too much that is not there, and counts what is not there.
pub async fn limit(
    State(rate_limits): State<Arc<RateLimits>>,
    arrival: Arrival,
    named: Result<Named, ApiError>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(Named(name)) = named else {
        return next.run(request).await;
    };
    let misses = rate_limits.misses_of(arrival.client.counted());
    if let Err(refused) = misses.check(name) {
        return ApiError::from(refused).into_response();
    }
    let response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        misses.record(name);
    }
    response
}
