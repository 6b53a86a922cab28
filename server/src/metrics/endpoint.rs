//! Where metrics are told.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;

use crate::state::AppState;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`, and nothing else.
pub fn router(node: AppState) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(node)
}

async fn metrics(State(node): State<AppState>) -> Response {
    let text = node.metrics.encode(&node);
    ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}
