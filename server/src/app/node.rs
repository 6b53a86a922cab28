//! Builds a running node from its parts.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::address_blocks;
use super::backends::Backends;
use super::gauges::Gauges;
use super::logs;
use super::metrics::Metrics;
use super::remover::Remover;
use super::storage_reader::StorageReader;
use super::sweeper::Sweeper;
use super::sweeper::status::SweepStatus;
use crate::admission::address_blocks::AddressBlocks;
use crate::admission::misses::MissLimiter;
use crate::admission::rate_limit::{RateLimiter, RateLimits, SharedRateLimiter};
use crate::admission::response_budget::ResponseBudget;
use crate::admission::shared_counts::{SharedCounts, SharedRates};
use crate::admission::slots::Slots;
use crate::admission::storage_quota::{StorageLimits, StorageQuota};
use crate::config::{Config, Limits};
use crate::http::assets::Site;
use crate::http::body::Discarder;
use crate::http::pictures::Pictures;
use crate::http::routes::multipart::UploadReceiver;
use crate::http::state::{AppState, Parts};
use crate::hub::deleting::Deleter;
use crate::hub::posting::Poster;
use crate::hub::{Hub, HubLimits};
use crate::image::DecodePool;

/// How many wrong admin tokens an address may bring per minute.
const WRONG_TOKENS_PER_MINUTE: u32 = 10;

/// Starts the background tasks, and returns what handlers share and whether images may be swept. Must be called on a
/// Tokio runtime.
pub fn start(
    config: Config,
    site: Site,
    backends: Backends,
    metrics: Metrics,
) -> (AppState, Arc<SweepStatus>) {
    let limits = config.limits;
    let (tasks, stopping) = (TaskTracker::new(), backends.stopping.clone());
    let hub = Hub::start(
        Arc::clone(&backends.broker),
        Arc::clone(&backends.store),
        HubLimits {
            touches_per_second: limits.touches_per_second,
            intervals: config.hub_intervals,
        },
        metrics.hub,
        tasks.clone(),
        stopping.clone(),
    );
    let rate_limits = Arc::new(rate_limits(&limits, backends.counts.clone()));
    tasks.spawn(Arc::clone(&rate_limits).run_cleanup(stopping.clone()));
    let address_blocks = start_address_blocks(&backends, &tasks, &stopping);
    let sweep = Arc::new(SweepStatus::new(config.sweep.is_on));
    let sweeper = Sweeper {
        store: Arc::clone(&backends.store),
        blobs: Arc::clone(&backends.blobs),
        schedule: config.sweep,
        status: Arc::clone(&sweep),
        metrics: metrics.sweep,
    };
    tasks.spawn(sweeper.run(stopping.clone()));
    let removals = start_remover(&backends, &hub, &tasks, &stopping);
    let quota = start_storage_quota(&limits, &backends, &tasks, &stopping);
    let decoders = decode_pool(&config, &backends, Arc::clone(&rate_limits));
    tasks.spawn(logs::report_dropped_lines(stopping.clone()));
    let sockets = Slots::with_fair_shares(limits.sockets, limits.sockets_per_address);
    let response_budget = ResponseBudget::default();
    let mut registry = metrics.registry;
    registry.register_collector(Box::new(Gauges {
        sockets: sockets.clone(),
        quota: quota.clone(),
        response_budget: response_budget.clone(),
        max_sockets: limits.sockets,
        hub: hub.clone(),
        decoders: decoders.clone(),
        sweep: Arc::clone(&sweep),
        kinds: config.shared.kinds(),
    }));
    let pictures = Pictures::new(
        Arc::clone(&backends.blobs),
        decoders.clone(),
        metrics.http.clone(),
        Arc::clone(&rate_limits),
        tasks.clone(),
        stopping.clone(),
    );
    let node = AppState::from(Parts {
        poster: Poster::new(Arc::clone(&backends.store), hub.clone()),
        deleter: Deleter::new(Arc::clone(&backends.store), hub.clone(), removals),
        receiver: UploadReceiver::new(&backends.temp_dir, limits.upload_bytes, quota.clone()),
        config: Arc::new(config),
        site: Arc::new(site),
        store: backends.store,
        moderation: backends.moderation,
        address_blocks,
        storage_quota: quota,
        blobs: backends.blobs,
        broker: backends.broker,
        pages: Arc::default(),
        http_metrics: metrics.http,
        registry: Arc::new(registry),
        decoders,
        pictures,
        hub,
        sockets,
        response_budget,
        message_reads: Arc::default(),
        checks: Arc::default(),
        sweep: Arc::<SweepStatus>::clone(&sweep),
        rate_limits,
        discarder: Arc::new(Discarder {
            tasks: tasks.clone(),
            stopping: stopping.clone(),
        }),
        tasks,
        stopping,
    });
    (node, sweep)
}

/// Makes what the node knows of blocked addresses, and keeps it up to date until the node stops.
fn start_address_blocks(
    backends: &Backends,
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) -> AddressBlocks {
    let blocks = AddressBlocks::default();
    let moderation = Arc::clone(&backends.moderation);
    let refresh = address_blocks::refresh(blocks.clone(), moderation, stopping.clone());
    tasks.spawn(refresh);
    blocks
}

/// Removes what is left of uploads that are gone, until the node stops. Returns what tells that there is more of that.
fn start_remover(
    backends: &Backends,
    hub: &Hub,
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) -> Arc<Notify> {
    let removals = Arc::new(Notify::new());
    let remover = Remover {
        store: Arc::clone(&backends.store),
        hub: hub.clone(),
        blobs: Arc::clone(&backends.blobs),
        removals: Arc::clone(&removals),
    };
    tasks.spawn(remover.run(stopping.clone()));
    removals
}

/// Makes the pool that checks and resizes images. The time that checking an image takes counts as further uploads of its address.
fn decode_pool(config: &Config, backends: &Backends, rate_limits: Arc<RateLimits>) -> DecodePool {
    DecodePool::new(
        config.program.clone(),
        backends.temp_dir.clone(),
        config.limits.image,
    )
    .on_time_spent(move |address, took| {
        let seconds = u32::try_from(took.as_secs()).unwrap_or(u32::MAX);
        rate_limits.uploads.charge(address, seconds);
    })
}

/// Makes the quota of storage, and keeps it up to date until the node stops.
fn start_storage_quota(
    limits: &Limits,
    backends: &Backends,
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) -> StorageQuota {
    let quota = StorageQuota::new(StorageLimits {
        max_stored: limits.stored_bytes,
        min_free: limits.free_bytes,
    });
    let reader = StorageReader {
        quota: quota.clone(),
        store: Arc::clone(&backends.store),
        folder: backends.temp_dir.clone(),
    };
    tasks.spawn(reader.run(stopping.clone()));
    quota
}

fn rate_limits(limits: &Limits, counts: Option<Arc<dyn SharedCounts>>) -> RateLimits {
    let shared = counts.map(|counts| Arc::new(SharedRates::new(counts)));
    RateLimits {
        uploads: SharedRateLimiter::new("uploads", limits.uploads_per_minute, shared.clone()),
        messages: SharedRateLimiter::new("messages", limits.messages_per_minute, shared),
        pictures: RateLimiter::new(limits.pictures_per_minute),
        wrong_tokens: RateLimiter::new(WRONG_TOKENS_PER_MINUTE),
        misses: Arc::new(MissLimiter::new(limits.misses_per_minute)),
    }
}
