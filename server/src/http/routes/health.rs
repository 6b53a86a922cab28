//! Whether this node is up, and whether it can do its work.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::blob::Blobs;
use crate::broker::Broker;
use crate::config::{Config, Kinds};
use crate::store::{Store, StoreError};

/// How long a backend may take to show that it answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells what keeps images from being swept.
pub trait SweepHealth: Send + Sync {
    /// What is told of it; nothing as long as images are swept, or the first check is under way.
    fn report(&self) -> Option<SweepReport>;
}

/// What `/readyz` tells of it.
#[derive(Debug, Serialize)]
pub struct SweepReport {
    /// `off` by the settings, or `stopped` by the problem.
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// The problem, in a word.
    pub problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// A sentence for people.
    pub detail: Option<String>,
}

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
pub async fn ready(
    State(store): State<Arc<dyn Store>>,
    State(blobs): State<Arc<dyn Blobs>>,
    State(broker): State<Arc<dyn Broker>>,
    State(config): State<Arc<Config>>,
    State(sweep): State<Arc<dyn SweepHealth>>,
    State(stopping): State<CancellationToken>,
) -> Response {
    let (store, blobs, broker) = tokio::join!(
        check(store.ping(), store_state),
        check(blobs.ping(), |_| AWAY),
        check(broker.ping(), |_| AWAY),
    );
    let stopping = stopping.is_cancelled();
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
        kinds: Some(config.shared.kinds()),
        // The node works all the same: this changes no status.
        sweep: sweep.report(),
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
