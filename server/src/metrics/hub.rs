//! Figures of the hub: sockets, and what is sent to them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use slab::Slab;

use super::class::ByClass;
use crate::broker::DeliveryClass;

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
    resyncs: Resyncs,
    closed: Family<[(&'static str, &'static str); 1], Counter>,
    outboxes: Outboxes,
}

/// Something in which frames wait for one socket.
pub trait Waiting: Send + Sync + 'static {
    /// How many message frames and how many touch frames wait now.
    fn waiting(&self) -> (usize, usize);
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
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let hub = Self::default();
        for ending in ENDINGS {
            drop(hub.closed.get_or_create(&[("reason", ending)]));
        }
        hub.delivered.register(
            registry,
            "frames_delivered",
            "Frames put into the outboxes of this node's sockets, once for each socket",
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

    /// A frame was put into the outboxes of this many sockets.
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

    /// A socket was opened whose frames wait here, until what this returns is dropped. Takes a lock.
    #[must_use]
    pub fn opened(&self, outbox: Arc<dyn Waiting>) -> Opened {
        let place = self.outboxes.lock().insert(outbox);
        Opened {
            outboxes: self.outboxes.clone(),
            place,
        }
    }

    /// How many message frames and how many touch frames wait for all sockets together. Takes each outbox's lock for a
    /// moment: some ten nanoseconds a socket, at each scrape.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let outboxes = self.outboxes.lock();
        outboxes
            .iter()
            .map(|(_, outbox)| outbox.waiting())
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}

/// An open socket's outbox is looked at as long as this is there.
#[derive(Debug)]
pub struct Opened {
    outboxes: Outboxes,
    place: usize,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.outboxes.lock().try_remove(self.place);
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

/// The outboxes of all open sockets; as many as there may be sockets.
#[derive(Clone, Default)]
struct Outboxes(Arc<Mutex<Slab<Arc<dyn Waiting>>>>);

impl Outboxes {
    fn lock(&self) -> MutexGuard<'_, Slab<Arc<dyn Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} outboxes", self.lock().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Three;

    impl Waiting for Three {
        fn waiting(&self) -> (usize, usize) {
            (1, 2)
        }
    }

    #[test]
    fn an_outbox_is_counted_as_long_as_its_socket_is_open() {
        let metrics = HubMetrics::default();
        let first = metrics.opened(Arc::new(Three));
        let second = metrics.clone().opened(Arc::new(Three));
        assert_eq!(metrics.waiting(), (2, 4));
        drop(first);
        assert_eq!(metrics.waiting(), (1, 2));
        drop(second);
        assert_eq!(metrics.waiting(), (0, 0));
    }
}
