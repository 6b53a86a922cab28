//! Figures of the hub: sockets, and what is sent to them.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::broker::DeliveryClass;
use crate::broker::class_counter::ByClass;

/// Why a socket ended: the peer is gone or closed it; it broke the rules (1008: malformed, too many frames; 1009: too big);
/// the node restarts (1012); it read too slowly (1013).
pub const ENDINGS: [&str; 7] = [
    "gone",
    "closed",
    "malformed",
    "too_many_frames",
    "too_big",
    "restarting",
    "too_slow",
];

/// What the hub tells. Clones share it; each method is one relaxed addition unless it says otherwise.
#[derive(Debug, Default, Clone)]
pub struct HubMetrics {
    delivered: ByClass,
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
    /// Figures that are told with the others of this registry.
    pub fn registered(registry: &mut Registry) -> Self {
        let hub = Self::default();
        for ending in ENDINGS {
            drop(hub.closed.get_or_create(&[("reason", ending)]));
        }
        hub.delivered.register(
            registry,
            "frames_delivered",
            "Frames written to this node's sockets, or waiting to be, once for each socket",
        );
        registry.register(
            "touch_frames_dropped",
            "Touch frames dropped because too many waited for a socket",
            hub.touches_dropped.clone(),
        );
        registry.register(
            "outbox_overflows",
            "Sockets that read too slowly to be sent every message; each is closed with 1013 and resyncs",
            hub.overflows.clone(),
        );
        registry.register(
            "broker_frames_refused",
            "Frames from the broker that no node publishes, and heads that the store does not have",
            hub.refused.clone(),
        );
        registry.register(
            "resyncs",
            "Watches answered, by where the messages came from",
            hub.resyncs.family.clone(),
        );
        registry.register(
            "sockets_closed",
            "Sockets that ended, by why",
            hub.closed.clone(),
        );
        hub
    }

    /// A frame was written to this many sockets, or waits to be.
    pub fn delivered(&self, class: DeliveryClass, sockets: usize) {
        self.delivered.add(class, sockets as u64);
    }

    /// This many touch frames were dropped since too many waited.
    pub fn touches_dropped(&self, count: usize) {
        self.touches_dropped.inc_by(count as u64);
    }

    /// A socket's outbox overflowed: messages were lost to it, so that it is closed with 1013.
    pub fn overflowed(&self) {
        self.overflows.inc();
    }

    /// What the broker brought was not believed.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// A `watch` was answered.
    pub fn resynced(&self, from: ResyncedFrom) {
        match from {
            ResyncedFrom::Memory => self.resyncs.memory.inc(),
            ResyncedFrom::Store => self.resyncs.store.inc(),
        };
    }

    /// A socket ended, for one of the reasons in [`ENDINGS`]. Looks a counter up.
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
