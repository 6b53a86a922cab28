//! The API, described for programs: `OpenAPI` for HTTP, `AsyncAPI` for the socket. Both are made from the types that
//! the server reads and writes, and kept in docs/api.

mod asyncapi;
mod examples;
mod openapi;
pub(super) mod problems;

use std::sync::LazyLock;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use crate::http::representation::Representation;
use crate::http::state::AppState;

static OPENAPI: LazyLock<Representation> = LazyLock::new(|| representation(&openapi::document()));
static ASYNCAPI: LazyLock<Representation> = LazyLock::new(|| representation(&asyncapi::document()));

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/openapi.json", get(show_openapi))
        .route("/api/asyncapi.json", get(show_asyncapi))
}

/// `GET /api/openapi.json`.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "describeApi",
    summary = "Read this description (OpenAPI 3.1)",
    responses((status = 200, body = Object, description = "The description"), problems::Any)
)]
async fn show_openapi(headers: HeaderMap) -> Response {
    OPENAPI.respond(&headers)
}

/// `GET /api/asyncapi.json`.
#[utoipa::path(
    get,
    path = "/api/asyncapi.json",
    operation_id = "describeSocket",
    summary = "Read the description of the socket (AsyncAPI 3)",
    responses((status = 200, body = Object, description = "The description"), problems::Any)
)]
async fn show_asyncapi(headers: HeaderMap) -> Response {
    ASYNCAPI.respond(&headers)
}

fn representation(document: &impl Serialize) -> Representation {
    let mut json = serde_json::to_vec_pretty(document).unwrap_or_default();
    json.push(b'\n');
    let json_type = HeaderValue::from_static("application/json");
    Representation::new(json_type, HeaderValue::from_static("no-cache"), json)
}
