//! What holds for every route that names an upload: nobody finds one by trying.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::extract::Named;
use crate::address::Arrival;
use crate::problem::ApiError;
use crate::state::AppState;

/// Refuses an address that has asked for too much that is not there, and counts what is not there.
pub async fn limit(
    State(node): State<AppState>,
    arrival: Arrival,
    named: Result<Named, ApiError>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(Named(name)) = named else {
        return next.run(request).await;
    };
    let misses = node.rate_limits.misses_of(arrival.client);
    if let Err(refused) = misses.check(name) {
        return refused.into_response();
    }
    let response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        misses.count(name);
    }
    response
}
