//! Everything that a request can be answered with instead of what it asked for.
//!
//! Which error to use when: [`ApiError`] has one variant per row of the protocol's table of wrong input. Backends'
//! errors become one of them by `From`; no internal text gets further than the log.

mod accept;
mod error;
mod page;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, header};

use app::problem::Problem;

pub use accept::{prefers_html, quality};
pub use error::ApiError;

use crate::state::AppState;

/// Answers an error as a page where the client is a person's browser: on the pages' own paths and for a form.
pub async fn as_page_for_people(
    State(node): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let wants_page = prefers_html(request.headers()) && !is_api_read(&request);
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) if wants_page => {
            let body = page::render(problem, &node.site.assets);
            to_page(response, body)
        }
        _ => response,
    }
}

/// Programs read the API; a browser that posts to it is a form.
fn is_api_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && request.uri().path().starts_with("/api/")
}

/// The same status and headers (`Allow`, `Retry-After`) with another body.
fn to_page(response: Response, body: String) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, page::CONTENT_TYPE);
    parts.headers.insert(
        header::CONTENT_SECURITY_POLICY,
        page::CONTENT_SECURITY_POLICY,
    );
    Response::from_parts(parts, Body::from(body))
}

/// What catches a handler's panic answers with. The panic itself was logged by the hook of `logs`.
pub fn panicked(_panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    ApiError::Internal.into_response()
}
