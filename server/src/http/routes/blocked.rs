//! Refuses what comes from a blocked address.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::admission::address_blocks::AddressBlocks;
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;

/// Middleware that refuses what a blocked address sends: everything that writes, also what was begun before the address
/// was blocked. It may go on reading; sockets, which can do both, have a check of their own.
pub async fn refuse_blocked(
    State(blocks): State<AddressBlocks>,
    info: RequestInfo,
    request: Request,
    next: Next,
) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    tokio::select! {
        biased;
        () = blocks.wait_for(info.client.rate_limit_key()) => ApiError::AddressBlocked.into_response(),
        response = next.run(request) => response,
    }
}
