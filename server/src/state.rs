//! The one inventory of what a running node holds.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::blob::Blobs;
use crate::broker::Broker;
use crate::budget::AnswerBytes;
use crate::config::Config;
use crate::housekeeping::Housekeeping;
use crate::hub::{Hub, HubLimits};
use crate::image::DecodePool;
use crate::logs;
use crate::metrics::Metrics;
use crate::pages::Pages;
use crate::posting::Poster;
use crate::rate_limit::{MissLimit, RateLimit, RateLimits};
use crate::routes::Listings;
use crate::site::Site;
use crate::slots::Slots;
use crate::store::Store;
use crate::sweep_status::SweepStatus;

/// What handlers share.
pub type AppState = Arc<Node>;

/// Where a node keeps things, and how it talks to others.
#[derive(Clone)]
pub struct Backends {
    /// Uploads and messages.
    pub store: Arc<dyn Store>,
    /// Image bytes.
    pub blobs: Arc<dyn Blobs>,
    /// Frames between nodes.
    pub broker: Arc<dyn Broker>,
    /// The folder for files on their way into `blobs`.
    pub temp_dir: PathBuf,
}

/// A running node.
pub struct Node {
    /// How it was told to run.
    pub config: Config,
    /// The packaged files.
    pub site: Site,
    /// Where it keeps things.
    pub backends: Backends,
    /// Pages that were rendered before.
    pub pages: Pages,
    /// What it tells about itself.
    pub metrics: Arc<Metrics>,
    /// Checks pictures, a few at a time.
    pub decoders: DecodePool,
    /// Its sockets and what they watch.
    pub hub: Hub,
    /// Stores and publishes messages.
    pub poster: Poster,
    /// Places for sockets.
    pub sockets: Slots,
    /// Room for answers that are being sent.
    pub answers: AnswerBytes,
    /// Pages of messages that are being read.
    pub(crate) listings: Listings,
    /// Whether images may be swept.
    pub sweep: Arc<SweepStatus>,
    /// Uploads, messages and misses per client address.
    pub rate_limits: Arc<RateLimits>,
    /// Everything that runs beside the requests; it ends before the node does.
    pub tasks: TaskTracker,
    /// Cancelled when the node stops.
    pub stopping: CancellationToken,
}

impl Node {
    /// Starts what runs beside the requests. Must be called on a tokio runtime.
    pub fn start(
        config: Config,
        site: Site,
        backends: Backends,
        metrics: Arc<Metrics>,
    ) -> AppState {
        let limits = config.limits;
        let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
        let hub = Hub::start(
            Arc::clone(&backends.broker),
            Arc::clone(&backends.store),
            HubLimits {
                touches_per_second: limits.touches_per_second,
                pace: config.pace,
            },
            metrics.hub.clone(),
            tasks.clone(),
            stopping.clone(),
        );
        let rate_limits = Arc::new(RateLimits {
            uploads: RateLimit::new(limits.uploads_per_minute),
            messages: RateLimit::new(limits.messages_per_minute),
            misses: Arc::new(MissLimit::new(limits.misses_per_minute)),
        });
        tasks.spawn({
            let (rate_limits, stopping) = (Arc::clone(&rate_limits), stopping.clone());
            async move { rate_limits.keep_small(stopping).await }
        });
        let sweep = Arc::new(SweepStatus::new(config.sweep.is_on));
        let housekeeping = Housekeeping {
            backends: backends.clone(),
            pace: config.sweep,
            status: Arc::clone(&sweep),
            metrics: metrics.sweep.clone(),
        };
        tasks.spawn(housekeeping.run(stopping.clone()));
        let charged = Arc::clone(&rate_limits);
        let decoders = DecodePool::new(
            config.program.clone(),
            backends.temp_dir.clone(),
            limits.image,
        )
        .charging(move |address, took| {
            let seconds = u32::try_from(took.as_secs()).unwrap_or(u32::MAX);
            charged.uploads.charge(address, seconds);
        });
        tasks.spawn(logs::tell_dropped(stopping.clone()));
        Arc::new(Self {
            decoders,
            poster: Poster::new(Arc::clone(&backends.store), hub.clone()),
            sockets: Slots::in_fair_shares(limits.sockets, limits.sockets_per_address),
            answers: AnswerBytes::default(),
            listings: Listings::default(),
            config,
            site,
            pages: Pages::default(),
            backends,
            metrics,
            hub,
            sweep,
            rate_limits,
            tasks,
            stopping,
        })
    }
}
