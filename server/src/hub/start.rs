//! Starts a node's hub, and what it does in the background.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answers::Answers;
use super::heard::Refusals;
use super::keeper::{self, Keeper};
use super::metrics::HubMetrics;
use super::rooms::Rooms;
use super::topics::{Hub, HubLimits, Inner, LocalDelivery};
use super::{audit, beacon};
use crate::broker::Broker;
use crate::store::Store;

impl Hub {
    /// Starts the hub of a node (the article's `InitHub`): frames that the broker delivers reach this hub's sockets
    /// from now on. Its tasks are tracked by `tasks`; when `shutdown` is cancelled every socket is closed with 1012.
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
        let refusals = Refusals::new(metrics.clone());
        let hub = Self(Arc::new(Inner {
            broker,
            store,
            limits,
            metrics,
            rooms,
            keeper: Keeper::new(),
            beacon: Arc::default(),
            answers: Answers::default(),
            waiting: Arc::default(),
            repaired: Notify::new(),
            refusals,
            tasks,
            shutdown,
        }));
        let delivery = LocalDelivery(Arc::downgrade(&hub.0));
        hub.0.broker.attach(Arc::new(delivery));
        let pace = limits.pace;
        let (broker, beacon) = (Arc::clone(&hub.0.broker), Arc::clone(&hub.0.beacon));
        hub.until_shutdown(beacon::run(beacon, broker, pace.announce_every));
        hub.until_shutdown(audit::run(hub.clone()));
        let (keeper, waiting) = (Arc::clone(&hub.0.keeper), Arc::clone(&hub.0.waiting));
        hub.until_shutdown(keeper::run(keeper, waiting, pace));
        hub.until_shutdown(audit::run_claims(hub.clone()));
        hub
    }
}
