//! Whether this node is up, and whether it can do its work.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::time::timeout;

use crate::config::Kinds;
use crate::state::AppState;
use crate::store::StoreError;
use crate::sweep_status::SweepReport;

/// How long a backend may take to show that it answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /livez`: the process answers.
pub async fn live() -> Response {
    answer(
        StatusCode::OK,
        &Health {
            status: "ok",
            backends: None,
            kinds: None,
            sweep: None,
        },
    )
}

/// `GET /readyz`: every backend answers, and the node is not about to stop.
pub async fn ready(State(node): State<AppState>) -> Response {
    let backends = &node.backends;
    let (store, blobs, broker) = tokio::join!(
        check(backends.store.ping(), store_state),
        check(backends.blobs.ping(), |_| AWAY),
        check(backends.broker.ping(), |_| AWAY),
    );
    let stopping = node.stopping.is_cancelled();
    let all_answer = [store, blobs, broker].iter().all(|state| *state == OK);
    let (code, status) = match (stopping, all_answer) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (_, false) => (StatusCode::SERVICE_UNAVAILABLE, AWAY),
        _ => (StatusCode::OK, OK),
    };
    let backends = Some(BackendStates {
        store,
        blobs,
        broker,
    });
    let health = Health {
        status,
        backends,
        kinds: Some(node.config.shared.kinds()),
        // The node works all the same: this changes no status.
        sweep: node.sweep.report(),
    };
    answer(code, &health)
}

const OK: &str = "ok";
const AWAY: &str = "away";
/// The files of the embedded database are not in their place.
const MOVED: &str = "moved";

async fn check<E>(
    ping: impl Future<Output = Result<(), E>>,
    state: impl FnOnce(E) -> &'static str,
) -> &'static str {
    match timeout(PATIENCE, ping).await {
        Ok(Ok(())) => OK,
        Ok(Err(error)) => state(error),
        Err(_) => AWAY,
    }
}

fn store_state(error: StoreError) -> &'static str {
    match error {
        StoreError::Moved => MOVED,
        _ => AWAY,
    }
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    backends: Option<BackendStates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kinds: Option<Kinds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<SweepReport>,
}

#[derive(Serialize)]
struct BackendStates {
    store: &'static str,
    blobs: &'static str,
    broker: &'static str,
}

fn answer(code: StatusCode, health: &Health) -> Response {
    (code, [(header::CACHE_CONTROL, "no-store")], Json(health)).into_response()
}
