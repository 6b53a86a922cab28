//! Where metrics are told.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`, and nothing else.
pub fn router(registry: Arc<Registry>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(registry)
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let text = written(&registry);
    ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}

/// Everything, as text of the `OpenMetrics` format; what is a state of the node is read at this moment.
pub fn written(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).expect("a text takes whatever is written to it");
    text
}
