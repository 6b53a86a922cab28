//! What handlers share. Each asks for the parts that it uses.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::assets::Site;
use super::metrics::HttpMetrics;
use super::pages::kept::Pages;
use super::routes::health::SweepHealth;
use super::routes::messages::Listings;
use super::routes::multipart::UploadReceiver;
use crate::admission::rate_limit::RateLimits;
use crate::admission::response_budget::ResponseBudget;
use crate::admission::slots::Slots;
use crate::blob::Blobs;
use crate::broker::Broker;
use crate::config::Config;
use crate::hub::Hub;
use crate::hub::posting::Poster;
use crate::image::DecodePool;
use crate::store::Store;

/// The parts of a running node. A clone costs one reference count: axum clones it for every request and every layer.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

impl From<Parts> for AppState {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Lets handlers ask for a part by its type: `State<Hub>`.
macro_rules! extractable {
    ($($part:ident: $type:ty,)*) => {
        $(impl FromRef<AppState> for $type {
            fn from_ref(state: &AppState) -> Self {
                state.$part.clone()
            }
        })*
    };
}

extractable! {
    config: Arc<Config>,
    site: Arc<Site>,
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    broker: Arc<dyn Broker>,
    pages: Arc<Pages>,
    http_metrics: HttpMetrics,
    registry: Arc<Registry>,
    receiver: UploadReceiver,
    decoders: DecodePool,
    hub: Hub,
    poster: Poster,
    sockets: Slots,
    answers: AnswerBytes,
    listings: Arc<Listings>,
    sweep: Arc<dyn SweepHealth>,
    rate_limits: Arc<RateLimits>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

/// What a running node is made of. All of it is shared when it is cloned.
pub struct Parts {
    /// How it was told to run.
    pub config: Arc<Config>,
    /// The packaged files.
    pub site: Arc<Site>,
    /// Uploads and messages.
    pub store: Arc<dyn Store>,
    /// Image bytes.
    pub blobs: Arc<dyn Blobs>,
    /// Frames between nodes.
    pub broker: Arc<dyn Broker>,
    /// Pages that were rendered before.
    pub pages: Arc<Pages>,
    /// What it tells about requests.
    pub http_metrics: HttpMetrics,
    /// Everything that it tells about itself.
    pub registry: Arc<Registry>,
    /// Receives files.
    pub receiver: UploadReceiver,
    /// Checks pictures, a few at a time.
    pub decoders: DecodePool,
    /// Its sockets and what they watch.
    pub hub: Hub,
    /// Stores and publishes messages.
    pub poster: Poster,
    /// Places for sockets.
    pub sockets: Slots,
    /// Room for answers that are being sent.
    pub answers: ResponseBudget,
    /// Lists of messages that are being read.
    pub listings: Arc<Listings>,
    /// Whether images may be swept.
    pub sweep: Arc<dyn SweepHealth>,
    /// Uploads, messages and misses per client address.
    pub rate_limits: Arc<RateLimits>,
    /// Everything that runs beside the requests; it ends before the node does.
    pub tasks: TaskTracker,
    /// Cancelled when the node stops.
    pub stopping: CancellationToken,
}
