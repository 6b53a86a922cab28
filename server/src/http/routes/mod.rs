//! The routes, and the middleware for all of them.

pub mod health;
mod image;
mod message_form;
pub(super) mod messages;
mod misses;
pub mod multipart;
mod socket;
mod uploads;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{self, HeaderName, HeaderValue};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use self::image::RESOURCE_POLICY;
use super::error::ApiError;
use super::extract::host;
use super::state::AppState;
use super::{body, error_page, pages, request_log};

/// Makes the router of everything that a node serves.
pub fn router(state: AppState) -> Router {
    let upload_routes = Router::new()
        .route("/api/uploads/{id}", get(uploads::show))
        .route(
            "/api/uploads/{id}/messages",
            get(messages::list).post(messages::create),
        )
        .route("/i/{id}", get(image::show))
        .route("/u/{id}", get(pages::show_image))
        .route("/u/{id}/", get(pages::redirect_without_slash))
        .route("/u/{id}/messages", post(message_form::create))
        .route_layer(from_fn_with_state(state.clone(), misses::limit_misses));
    let mut router = Router::new()
        .merge(upload_routes)
        .route("/api/uploads", post(uploads::create))
        .route("/api/socket", get(socket::upgrade))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/", get(pages::show_home));
    for (address, file) in state.site.routes() {
        router = router.route(address, file);
    }
    let middleware = ServiceBuilder::new()
        .layer(from_fn_with_state(state.clone(), request_log::log_request))
        .layer(default_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(default_header(header::REFERRER_POLICY, "same-origin"))
        .layer(default_header(header::CACHE_CONTROL, "no-cache"))
        // Images set their own. Nothing else may be embedded by other sites.
        .layer(default_header(RESOURCE_POLICY, "same-origin"))
        .layer(from_fn_with_state(
            state.clone(),
            error_page::show_errors_as_pages,
        ))
        .layer(CatchPanicLayer::custom(error_page::panic_response))
        .layer(from_fn(host::require_host))
        .layer(from_fn_with_state(state.clone(), body::enforce_limits));
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(pages::not_found)
        .layer(middleware)
        .with_state(state)
}

async fn method_not_allowed() -> Response {
    ApiError::MethodNotAllowed.into_response()
}

fn default_header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
