//! Metrics of the hub: sockets, and what is sent to them.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::broker::DeliveryClass;
use crate::broker::class_counter::ClassCounter;
use crate::metrics::registered;

/// Why a socket was closed: the connection broke (`gone`) or the client closed it (`closed`); the client violated the
/// protocol (1002, 1007, 1008: malformed; 1008: too many frames; 1009: too big); its address was blocked (1008); the
/// node restarts (1012); the client reads too slowly (1013).
pub const CLOSE_REASONS: [&str; 8] = [
    "gone",
    "closed",
    "malformed",
    "too_many_frames",
    "blocked",
    "too_big",
    "restarting",
    "too_slow",
];

/// The hub's metrics. Clones share them; each method is one relaxed addition unless it says otherwise.
#[derive(Debug, Default, Clone)]
pub struct HubMetrics {
    delivered: ClassCounter,
    touches_dropped: Counter,
    overflows: Counter,
    refused: Counter,
    resyncs: Resyncs,
    closed: Family<[(&'static str, &'static str); 1], Counter>,
}

/// Where the answer to a `watch` came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResyncedFrom {
    /// The newest messages that the node keeps in memory.
    Memory,
    /// A read of the store.
    Store,
}

impl HubMetrics {
    /// Creates the metrics and registers them.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            delivered: ClassCounter::registered(
                registry,
                "frames_delivered",
                "Frames written to this node's sockets or queued for them, once for each socket",
            ),
            touches_dropped: registered(
                registry,
                "touch_frames_dropped",
                "Touch frames dropped because too many were queued for a socket",
            ),
            overflows: registered(
                registry,
                "outbox_overflows",
                "Sockets closed with 1013 because they read too slowly",
            ),
            refused: registered(
                registry,
                "broker_frames_refused",
                "Frames from the broker that no node publishes, and heads that the store does not have",
            ),
            resyncs: Resyncs::registered(
                registry,
                "resyncs",
                "Watches answered, by where the messages came from",
            ),
            closed: registered(registry, "sockets_closed", "Sockets closed, by reason"),
        };
        for reason in CLOSE_REASONS {
            drop(metrics.closed.get_or_create(&[("reason", reason)]));
        }
        metrics
    }

    /// Counts a frame that was written to this many sockets or queued for them.
    pub fn delivered(&self, class: DeliveryClass, sockets: usize) {
        self.delivered.add(class, sockets as u64);
    }

    /// Counts touch frames that were dropped because too many were queued.
    pub fn touches_dropped(&self, count: usize) {
        self.touches_dropped.inc_by(count as u64);
    }

    /// Counts a socket that is closed with 1013.
    pub fn overflowed(&self) {
        self.overflows.inc();
    }

    /// Counts a frame of the broker that was refused.
    pub fn frame_refused(&self) {
        self.refused.inc();
    }

    /// Counts an answered `watch`.
    pub fn resynced(&self, from: ResyncedFrom) {
        match from {
            ResyncedFrom::Memory => self.resyncs.memory.inc(),
            ResyncedFrom::Store => self.resyncs.store.inc(),
        };
    }

    /// Counts a closed socket, for one of [`CLOSE_REASONS`]. Looks up a counter.
    pub fn closed(&self, reason: &'static str) {
        self.closed.get_or_create(&[("reason", reason)]).inc();
    }
}

#[derive(Debug, Clone)]
struct Resyncs {
    family: Family<[(&'static str, &'static str); 1], Counter>,
    memory: Counter,
    store: Counter,
}

impl Default for Resyncs {
    fn default() -> Self {
        let family = Family::default();
        Self {
            memory: family.get_or_create_owned(&[("from", "memory")]),
            store: family.get_or_create_owned(&[("from", "store")]),
            family,
        }
    }
}

impl Resyncs {
    fn registered(registry: &mut Registry, name: &str, help: &str) -> Self {
        let resyncs = Self::default();
        registry.register(name, help, resyncs.family.clone());
        resyncs
    }
}
