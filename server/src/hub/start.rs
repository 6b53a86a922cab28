//! Starts a node's hub and its background tasks.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer_cache::AnswerCache;
use super::handle::{Hub, HubLimits, Inner, LocalDelivery};
use super::incoming::RefusedFrames;
use super::metrics::HubMetrics;
use super::rooms::Rooms;
use super::socket_monitor::{self, SocketMonitor};
use super::{head_announcer, presence_announcer, reconciler};
use crate::broker::Broker;
use crate::panics::stop_on_panic;
use crate::random;
use crate::store::Store;

impl Hub {
    /// Starts the hub of a node and attaches it to the broker, whose frames reach this hub's sockets from now on.
    /// `tasks` tracks the hub's tasks. When `shutdown` is cancelled, they end and every socket is closed with 1012.
    pub fn start(
        broker: Arc<dyn Broker>,
        store: Arc<dyn Store>,
        limits: HubLimits,
        metrics: HubMetrics,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        let rooms = Arc::new(Rooms::new(
            Arc::clone(&broker),
            metrics.clone(),
            tasks.clone(),
            shutdown.clone(),
        ));
        let refused_frames = RefusedFrames::new(metrics.clone());
        let hub = Self(Arc::new(Inner {
            node: random::random(),
            broker,
            store,
            limits,
            metrics,
            rooms,
            monitor: SocketMonitor::new(),
            head_announcer: Arc::default(),
            answer_cache: AnswerCache::default(),
            queued_bytes: Arc::default(),
            repaired: Notify::new(),
            refused_frames,
            tasks,
            shutdown,
        }));
        let delivery = LocalDelivery(Arc::downgrade(&hub.0));
        hub.0.broker.attach(Arc::new(delivery));
        let intervals = limits.intervals;
        let announcer = Arc::clone(&hub.0.head_announcer);
        let broker = Arc::clone(&hub.0.broker);
        hub.spawn_until_shutdown(head_announcer::run(
            announcer,
            broker,
            intervals.announce_every,
        ));
        hub.spawn_until_shutdown(reconciler::run(hub.clone()));
        hub.spawn_until_shutdown(reconciler::run_confirmations(hub.clone()));
        hub.spawn_until_shutdown(reconciler::run_expiries(hub.clone()));
        let shutdown = &hub.0.shutdown;
        let announcer = presence_announcer::run(hub.clone(), shutdown.clone());
        hub.0
            .tasks
            .spawn(stop_on_panic(shutdown.clone(), announcer));
        let monitor = Arc::clone(&hub.0.monitor);
        let queued = Arc::clone(&hub.0.queued_bytes);
        hub.spawn_until_shutdown(socket_monitor::run(monitor, queued, intervals));
        hub
    }
}
