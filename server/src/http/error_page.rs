//! Errors as HTML pages, for people.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::{Method, header};

use app::MessageForm;
use app::problem::Problem;

use super::accept::{self, prefers_html};
use super::error::ApiError;
use super::pages;
use super::state::AppState;

/// Middleware that replaces problem documents by pages where a browser asks, for a page or by sending a form.
pub async fn show_errors_as_pages(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let wants_page = prefers_html(request.headers()) && !is_api_read(&request);
    let language = accept::language(request.headers());
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) if wants_page => {
            let form = response.extensions().get::<MessageForm>().cloned();
            let page = app::problem_page(&state.site.assets, language, problem.clone(), form);
            with_page(response, page)
        }
        _ => response,
    }
}

/// Whether a program reads the API. A browser that posts to it sends a form.
fn is_api_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && request.uri().path().starts_with("/api/")
}

/// Replaces the body, and keeps the status and other headers (`Allow`, `Retry-After`).
fn with_page(problem: Response, page: String) -> Response {
    let (mut parts, _) = problem.into_parts();
    let page = Html(page).into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(page.headers().clone());
    pages::set_security_headers(&mut parts.headers);
    Response::from_parts(parts, page.into_body())
}

/// The response to a request whose handler panicked. The panic was logged by the hook that `logs` sets.
pub fn panic_response(_panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    ApiError::Internal.into_response()
}
