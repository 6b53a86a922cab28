//! Errors as pages, for people.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::{Method, header};

use app::problem::Problem;

use super::accept::prefers_html;
use super::error::ApiError;
use super::pages;
use super::state::AppState;

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
            let page = app::problem_page(&node.site.assets, problem.clone());
            with_page(response, page)
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
fn with_page(problem: Response, page: String) -> Response {
    let (mut parts, _) = problem.into_parts();
    let page = Html(page).into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(page.headers().clone());
    pages::protect(&mut parts.headers);
    Response::from_parts(parts, page.into_body())
}

/// What catches a handler's panic answers with. The panic itself was logged by the hook of `logs`.
pub fn panicked(_panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    ApiError::Internal.into_response()
}
