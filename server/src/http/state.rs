//! What handlers share. Each handler extracts the parts that it uses.

use std::sync::Arc;

use axum::extract::FromRef;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::assets::Site;
use super::metrics::HttpMetrics;
use super::pages::page_cache::PageCache;
use super::routes::health::SweepHealth;
use super::routes::messages::SharedMessageReads;
use super::routes::multipart::UploadReceiver;
use crate::admission::answer_bytes::AnswerBytes;
use crate::admission::rate_limit::RateLimits;
use crate::admission::slots::Slots;
use crate::blob::Blobs;
use crate::broker::Broker;
use crate::config::Config;
use crate::hub::Hub;
use crate::hub::posting::Poster;
use crate::image::DecodePool;
use crate::store::Store;

/// The parts of a running node. Clones share them.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The settings.
    pub config: Arc<Config>,
    /// The packaged files.
    pub site: Arc<Site>,
    /// Uploads and messages.
    pub store: Arc<dyn Store>,
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
    /// Receives uploaded files.
    pub receiver: UploadReceiver,
    /// Checks images, a few at a time.
    pub decoders: DecodePool,
    /// The sockets and what they watch.
    pub hub: Hub,
    /// Stores and publishes messages.
    pub poster: Poster,
    /// Limits the number of sockets.
    pub sockets: Slots,
    /// Limits the memory of answers that are being sent.
    pub answers: AnswerBytes,
    /// Lists of messages that are being read, shared by concurrent requests.
    pub message_reads: Arc<SharedMessageReads>,
    /// Reports whether images may be swept.
    pub sweep: Arc<dyn SweepHealth>,
    /// Limits uploads, messages and misses per client address.
    pub rate_limits: Arc<RateLimits>,
    /// Tracks the background tasks, which end before the node does.
    pub tasks: TaskTracker,
    /// Cancelled when the node starts to stop.
    pub stopping: CancellationToken,
}
