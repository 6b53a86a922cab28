//! Figures of the broker: frames between nodes, and whether they flow.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::class_counter::ByClass;
use super::{BrokerError, DeliveryClass};
use crate::metrics::{CallMetrics, Outcome};

/// What is told about the broker. Clones share it.
#[derive(Debug, Clone)]
pub struct BrokerMetrics {
    /// Its calls.
    pub calls: CallMetrics,
    received: ByClass,
    publish_failures: ByClass,
    interruptions: Counter,
    repairs: Counter,
    proven: Gauge,
    publish_to_receive: Histogram,
}

impl BrokerMetrics {
    /// Figures that are told with the others of this registry.
    pub fn registered(registry: &mut Registry) -> Self {
        let calls = CallMetrics::registered(
            registry,
            (
                "broker_call_duration",
                "How long calls of the broker took, by operation and outcome",
            ),
            &["publish", "subscribe", "unsubscribe", "ping"],
        );
        let metrics = Self {
            calls,
            received: ByClass::default(),
            publish_failures: ByClass::default(),
            interruptions: Counter::default(),
            repairs: Counter::default(),
            proven: Gauge::default(),
            publish_to_receive: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
        };
        metrics.register(registry);
        metrics
    }

    fn register(&self, registry: &mut Registry) {
        self.received.register(
            registry,
            "broker_frames_received",
            "Frames received from the broker, this node's own too",
        );
        self.publish_failures.register(
            registry,
            "broker_publish_failures",
            "Frames that could not be published",
        );
        registry.register(
            "broker_interruptions",
            "Times that the node's subscription was lost",
            self.interruptions.clone(),
        );
        registry.register(
            "broker_repairs",
            "Times that the node's subscription was repaired",
            self.repairs.clone(),
        );
        registry.register(
            "broker_proven",
            "1 while frames are known to flow, 0 while the node's subscription is lost",
            self.proven.clone(),
        );
        registry.register_with_unit(
            "publish_to_receive",
            "Time from publishing a frame of the node's own to receiving it again",
            Unit::Seconds,
            self.publish_to_receive.clone(),
        );
    }

    /// Whoever takes the frames is there: nothing is known to be lost.
    pub fn attached(&self) {
        self.proven.set(1);
    }

    /// A frame came from the broker.
    pub fn received(&self, class: DeliveryClass) {
        self.received.add(class, 1);
    }

    /// A frame was not published.
    pub fn not_published(&self, class: DeliveryClass) {
        self.publish_failures.add(class, 1);
    }

    /// The subscription is lost.
    pub fn interrupted(&self) {
        self.interruptions.inc();
        self.proven.set(0);
    }

    /// Frames flow again.
    pub fn repaired(&self) {
        self.repairs.inc();
        self.proven.set(1);
    }

    /// A frame that this node published came back after this time.
    pub fn received_own(&self, after: Duration) {
        self.publish_to_receive.observe(after.as_secs_f64());
    }
}

impl Outcome for BrokerError {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
        }
    }
}
