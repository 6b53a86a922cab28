//! The state that handlers share. Each handler extracts the parts that it uses.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::assets::Site;
use super::body::Discarder;
use super::metrics::HttpMetrics;
use super::pages::page_cache::PageCache;
use super::pictures::Pictures;
use super::routes::health::{SharedChecks, SweepHealth};
use super::routes::messages::SharedMessageReads;
use super::routes::multipart::UploadReceiver;
use crate::admission::address_blocks::AddressBlocks;
use crate::admission::rate_limit::RateLimits;
use crate::admission::response_budget::ResponseBudget;
use crate::admission::slots::Slots;
use crate::admission::storage_quota::StorageQuota;
use crate::blob::Blobs;
use crate::broker::Broker;
use crate::config::Config;
use crate::hub::Hub;
use crate::hub::deleting::Deleter;
use crate::hub::posting::Poster;
use crate::image::DecodePool;
use crate::store::{Moderation, Store};

/// The parts of a running node. axum clones it for every request and every layer: that costs one reference count.
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

/// Lets handlers extract a part by its type, as in `State<Hub>`.
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
    moderation: Arc<dyn Moderation>,
    address_blocks: AddressBlocks,
    blobs: Arc<dyn Blobs>,
    broker: Arc<dyn Broker>,
    pages: Arc<PageCache>,
    http_metrics: HttpMetrics,
    registry: Arc<Registry>,
    receiver: UploadReceiver,
    storage_quota: StorageQuota,
    decoders: DecodePool,
    pictures: Pictures,
    hub: Hub,
    poster: Poster,
    deleter: Deleter,
    sockets: Slots,
    response_budget: ResponseBudget,
    message_reads: Arc<SharedMessageReads>,
    checks: Arc<SharedChecks>,
    sweep: Arc<dyn SweepHealth>,
    rate_limits: Arc<RateLimits>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

/// The parts of [`AppState`].
pub struct Parts {
    /// The settings.
    pub config: Arc<Config>,
    /// The packaged files.
    pub site: Arc<Site>,
    /// Uploads and messages.
    pub store: Arc<dyn Store>,
    /// Reports, and what is blocked.
    pub moderation: Arc<dyn Moderation>,
    /// The addresses that are blocked.
    pub address_blocks: AddressBlocks,
    /// Image bytes.
    pub blobs: Arc<dyn Blobs>,
    /// Frames between nodes.
    pub broker: Arc<dyn Broker>,
    /// The cache of rendered pages.
    pub pages: Arc<PageCache>,
    /// Metrics of requests.
    pub http_metrics: HttpMetrics,
    /// All metrics.
    pub registry: Arc<Registry>,
    /// The storage for uploads.
    pub storage_quota: StorageQuota,
    /// Receives uploaded files.
    pub receiver: UploadReceiver,
    /// Checks images, a few at a time.
    pub decoders: DecodePool,
    /// Finds and makes smaller pictures of images.
    pub pictures: Pictures,
    /// The sockets and what they watch.
    pub hub: Hub,
    /// Stores and publishes messages.
    pub poster: Poster,
    /// Deletes messages and uploads.
    pub deleter: Deleter,
    /// Limits the number of sockets.
    pub sockets: Slots,
    /// Limits the memory of answers that are being sent.
    pub response_budget: ResponseBudget,
    /// Lists of messages that are being read, shared by concurrent requests.
    pub message_reads: Arc<SharedMessageReads>,
    /// Checks of the backends, shared by concurrent requests.
    pub checks: Arc<SharedChecks>,
    /// Reports whether images may be swept.
    pub sweep: Arc<dyn SweepHealth>,
    /// Limits uploads, messages, smaller pictures and misses per client address.
    pub rate_limits: Arc<RateLimits>,
    /// Reads what handlers leave unread of a body.
    pub discarder: Arc<Discarder>,
    /// Tracks the background tasks, which end before the node does.
    pub tasks: TaskTracker,
    /// Cancelled when the node starts to stop.
    pub stopping: CancellationToken,
}
