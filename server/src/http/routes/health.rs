//! The health checks: whether this node is up, and whether it can serve.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::api_description::problems::Any;
use crate::blob::Blobs;
use crate::broker::Broker;
use crate::config::{Config, Kinds};
use crate::store::coalescing::CoalescedReads;
use crate::store::{Store, StoreError};

/// How long a backend may take to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Reports why images are not swept.
pub trait SweepHealth: Send + Sync {
    /// Returns the report; `None` while images are swept, or before the first check has ended.
    fn report(&self) -> Option<SweepReport>;
}

/// The report in the body of `/readyz`.
#[derive(Debug, Serialize, ToSchema)]
pub struct SweepReport {
    /// `off` by the settings, or `stopped` because of the problem.
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// The problem's name, for programs.
    pub problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// The problem as a sentence, for people.
    pub detail: Option<String>,
}

/// `GET /livez`: always 200.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "isAlive",
    summary = "Ask whether the process is up",
    responses((status = 200, body = Health, description = "It is"), Any),
)]
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

/// `GET /readyz`: 200 if every backend answers and the node is not stopping, otherwise 503.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "isReady",
    summary = "Ask whether the node can serve",
    responses(
        Any,
        (status = 200, body = Health, description = "It can"),
        (status = 503, body = Health, description = "It cannot: a backend does not answer, or the node stops"),
    ),
)]
pub async fn ready(
    State(store): State<Arc<dyn Store>>,
    State(blobs): State<Arc<dyn Blobs>>,
    State(broker): State<Arc<dyn Broker>>,
    State(checks): State<Arc<SharedChecks>>,
    State(config): State<Arc<Config>>,
    State(sweep): State<Arc<dyn SweepHealth>>,
    State(stopping): State<CancellationToken>,
) -> Response {
    let check_all = async || {
        let (store, blobs, broker) = tokio::join!(
            check(store.ping(), store_state),
            check(blobs.ping(), |_| UNAVAILABLE),
            check(broker.ping(), |_| UNAVAILABLE),
        );
        Ok(BackendStates {
            store,
            blobs,
            broker,
        })
    };
    let Ok(backends) = checks.read((), check_all).await;
    let stopping = stopping.is_cancelled();
    let answers = [backends.store, backends.blobs, backends.broker];
    let all_answer = answers.iter().all(|state| *state == OK);
    let (code, status) = match (stopping, all_answer) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (_, false) => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
        _ => (StatusCode::OK, OK),
    };
    let health = Health {
        status,
        backends: Some(backends),
        kinds: Some(config.shared.kinds()),
        // Does not change the status: the node serves all the same.
        sweep: sweep.report(),
    };
    answer(code, &health)
}

const OK: &str = "ok";
const UNAVAILABLE: &str = "away";
/// The files of the embedded database are not in their place.
const MOVED: &str = "moved";

async fn check<E>(
    ping: impl Future<Output = Result<(), E>>,
    state: impl FnOnce(E) -> &'static str,
) -> &'static str {
    match timeout(PING_TIMEOUT, ping).await {
        Ok(Ok(())) => OK,
        Ok(Err(error)) => state(error),
        Err(_) => UNAVAILABLE,
    }
}

fn store_state(error: StoreError) -> &'static str {
    match error {
        StoreError::Moved => MOVED,
        _ => UNAVAILABLE,
    }
}

/// The health of a node.
#[derive(Serialize, ToSchema)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    backends: Option<BackendStates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kinds: Option<Kinds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<SweepReport>,
}

/// Checks of the backends that are under way. Concurrent requests share one: anyone may ask, and each check asks all
/// backends.
pub type SharedChecks = CoalescedReads<(), BackendStates, Infallible>;

/// Whether each backend answers.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct BackendStates {
    store: &'static str,
    blobs: &'static str,
    broker: &'static str,
}

fn answer(code: StatusCode, health: &Health) -> Response {
    (code, [(header::CACHE_CONTROL, "no-store")], Json(health)).into_response()
}
