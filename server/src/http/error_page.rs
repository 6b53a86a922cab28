//! Errors for people: in their language, and as HTML pages where a browser asks for one.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, Method, header};

use app::MessageForm;

use super::accept::{self, prefers_html};
use super::error::ApiError;
use super::extract::request_info::RequestInfo;
use super::pages;
use super::state::AppState;

/// Middleware that translates problem documents, and replaces them by pages where a browser asks, for a page or by
/// sending a form, while there is memory for them.
pub async fn localize_errors(
    State(state): State<AppState>,
    info: RequestInfo,
    request: Request,
    next: Next,
) -> Response {
    let wants_page = prefers_html(request.headers()) && !is_api_read(&request);
    let language = accept::language(request.headers());
    let response = next.run(request).await;
    let Some(error) = response.extensions().get::<ApiError>().cloned() else {
        return response;
    };
    let detail_language = error.detail_language(language);
    let page = wants_page.then(|| {
        let form = response.extensions().get::<MessageForm>().cloned();
        let problem = error.to_problem(language);
        let settings = pages::settings(&state, &info);
        let assets = &state.site.assets;
        app::problem_page(assets, settings, language, problem, detail_language, form)
    });
    let client = info.client.rate_limit_key();
    let page = page.and_then(|page| {
        let reservation = state.response_budget.reserve(client, page.len()).ok()?;
        Some(reservation.hold(page.into()))
    });
    let mut response = match page {
        Some(page) => with_page(response, page),
        None => with_body(response, error.to_json(language).into()),
    };
    let headers = response.headers_mut();
    // The header would say that all of it is for readers of that language.
    if detail_language == language {
        let language = HeaderValue::from_static(language.tag());
        headers.insert(header::CONTENT_LANGUAGE, language);
    }
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

/// Whether a program reads the API. A browser that posts to it sends a form.
fn is_api_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && request.uri().path().starts_with("/api/")
}

/// Replaces the body, and keeps the status and other headers (`Allow`, `Retry-After`).
fn with_page(problem: Response, page: Bytes) -> Response {
    let page = Html(page).into_response();
    let (headers, body) = (page.headers().clone(), page.into_body());
    let mut response = with_body(problem, body);
    response.headers_mut().extend(headers);
    pages::set_headers_without_scripts(response.headers_mut(), None);
    response
}

fn with_body(response: Response, body: Body) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

/// The response to a request whose handler panicked. The panic was logged by the hook that `logs` sets.
pub fn panic_response(_panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    ApiError::Internal.into_response()
}
