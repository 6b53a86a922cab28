//! The routes, and the middleware for all of them.

mod admin;
mod api_description;
mod blocked;
mod deletions;
pub mod health;
mod image;
pub mod message_form;
pub mod messages;
mod misses;
pub mod multipart;
mod oembed;
mod qr_code;
pub mod report_form;
pub mod reports;
mod security_txt;
mod sharex;
mod socket;
mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn_with_state, map_request, map_response};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post};
use http::Method;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use super::accept::prefers_html;
use super::error::ApiError;
use super::extract::host;
use super::state::AppState;
use super::{body, cors, default_headers, error_page, pages, request_log};

/// Makes the router of everything that a node serves.
pub fn router(state: AppState) -> Router {
    let page_routes = Router::new()
        .route("/u/{id}", get(pages::show_image))
        .route("/u/{id}/", get(pages::redirect_without_slash))
        .route("/u/{id}/messages", post(message_form::create))
        .route(
            "/u/{id}/report",
            get(report_form::show).post(report_form::create),
        )
        .route_layer(from_fn_with_state(state.clone(), misses::limit_misses));
    let mut router = Router::new()
        .merge(page_routes)
        .merge(shared_routes(&state))
        .route("/api/uploads", post(uploads::create))
        .route("/api/socket", get(socket::upgrade))
        .merge(api_description::routes())
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route(security_txt::PATH, get(security_txt::show))
        .route("/oembed", get(oembed::show))
        .route("/sharex.sxcu", get(sharex::show))
        // For `curl -F file=@picture.png` with the address that people know.
        .route("/", get(pages::show_home).post(uploads::create));
    // Before the pages of admins, who must not lock themselves out.
    let refuse_blocked = from_fn_with_state(state.clone(), blocked::refuse_blocked);
    router = router.route_layer(refuse_blocked);
    if state.config.admin_token.is_some() {
        router = router.merge(admin::routes());
    }
    for (address, file) in state.site.routes() {
        router = router.route(address, file);
    }
    let discarder = Arc::clone(&state.discarder);
    let middleware = ServiceBuilder::new()
        .layer(from_fn_with_state(state.clone(), request_log::log_request))
        .layer(from_fn_with_state(
            state.clone(),
            default_headers::add_default_headers,
        ))
        .layer(from_fn_with_state(
            state.clone(),
            error_page::localize_errors,
        ))
        .layer(CatchPanicLayer::custom(error_page::panic_response))
        .layer(map_request(host::require_host))
        .map_request(move |request| body::limit(request, &discarder));
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(pages::not_found)
        .layer(middleware)
        .with_state(state)
}

/// What other sites' pages may use, if the settings allow it: the API's routes of uploads, and images.
fn shared_routes(state: &AppState) -> Router<AppState> {
    let mut images = Router::new()
        .route("/i/{id}", get(image::show))
        .route("/i/{id}/preview.jpg", get(image::show_preview))
        .route("/u/{id}/qr.svg", get(qr_code::show));
    if !state.config.is_indexed {
        images = images.layer(map_response(default_headers::forbid_indexing));
    }
    let routes = Router::new()
        .merge(images)
        .route(
            "/api/uploads/{id}",
            get(uploads::show).delete(deletions::delete_upload),
        )
        .route(
            "/api/uploads/{id}/messages/{seq}",
            delete(deletions::delete_message),
        )
        .route("/api/uploads/{id}/reports", post(reports::create))
        .route(
            "/api/uploads/{id}/messages",
            get(messages::list).post(messages::create),
        )
        .route_layer(from_fn_with_state(state.clone(), misses::limit_misses));
    match cors::layer(&state.config.allowed_origins) {
        None => routes,
        // Requests with OPTIONS reach the layer only if the fallback is inside it.
        Some(cors) => routes
            .method_not_allowed_fallback(method_not_allowed)
            .layer(cors),
    }
}

/// Browsers that ask for the address of a form, as when it is entered again, are led to its page.
async fn method_not_allowed(request: Request) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match form_page(request.uri().path()) {
        Some(page) if is_read && prefers_html(request.headers()) => {
            Redirect::to(page).into_response()
        }
        _ => ApiError::MethodNotAllowed.into_response(),
    }
}

/// The page with the form that is sent to this address.
fn form_page(address: &str) -> Option<&str> {
    match address {
        "/api/uploads" => Some("/"),
        _ => address.strip_suffix("/messages"),
    }
}
