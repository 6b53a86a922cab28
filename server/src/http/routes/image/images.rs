//! What images are served from.

use std::sync::Arc;

use axum::extract::FromRef;
use http::{HeaderMap, Method};

use crate::admission::response_budget::ResponseBudget;
use crate::blob::Blobs;
use crate::http::extract::request_info::RequestInfo;
use crate::http::pictures::Pictures;
use crate::http::state::AppState;
use crate::store::Store;

/// What the answer depends on besides the address.
pub(super) struct Request {
    pub info: RequestInfo,
    pub method: Method,
    pub headers: HeaderMap,
}

/// Serves images.
#[derive(Clone)]
pub struct Images {
    pub(super) store: Arc<dyn Store>,
    pub(super) blobs: Arc<dyn Blobs>,
    pub(super) pictures: Pictures,
    pub(super) budget: ResponseBudget,
}

impl FromRef<AppState> for Images {
    fn from_ref(state: &AppState) -> Self {
        Self {
            store: Arc::clone(&state.store),
            blobs: Arc::clone(&state.blobs),
            pictures: state.pictures.clone(),
            budget: state.response_budget.clone(),
        }
    }
}
