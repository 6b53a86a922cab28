//! Metrics of the broker: frames between nodes, and the state of the subscription.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::class_counter::ClassCounter;
use super::{BrokerError, DeliveryClass};
use crate::metrics::{CallMetrics, Outcome, registered};

/// The broker's metrics. Clones share them.
#[derive(Debug, Clone)]
pub struct BrokerMetrics {
    /// The durations of its calls.
    pub calls: CallMetrics,
    received: ClassCounter,
    publish_failures: ClassCounter,
    interruptions: Counter,
    repairs: Counter,
    healthy: Gauge,
    publish_to_receive: Histogram,
}

impl BrokerMetrics {
    /// Creates the metrics and registers them.
    pub fn registered(registry: &mut Registry) -> Self {
        let calls = CallMetrics::registered(
            registry,
            (
                "broker_call_duration",
                "Duration of broker calls, by operation and outcome",
            ),
            &["publish", "subscribe", "unsubscribe", "ping", "count"],
        );
        let metrics = Self {
            calls,
            received: ClassCounter::registered(
                registry,
                "broker_frames_received",
                "Frames received from the broker, including this node's own",
            ),
            publish_failures: ClassCounter::registered(
                registry,
                "broker_publish_failures",
                "Frames that could not be published",
            ),
            interruptions: registered(
                registry,
                "broker_interruptions",
                "Interruptions of the node's subscription",
            ),
            repairs: registered(
                registry,
                "broker_repairs",
                "Repairs of the node's subscription",
            ),
            healthy: registered(
                registry,
                "broker_healthy",
                "1 while the node's subscription works, 0 while it is lost",
            ),
            publish_to_receive: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
        };
        registry.register_with_unit(
            "publish_to_receive",
            "Time from publishing a heartbeat to receiving it",
            Unit::Seconds,
            metrics.publish_to_receive.clone(),
        );
        metrics
    }

    /// Records that the receiver is attached: the subscription works from the start.
    pub fn attached(&self) {
        self.healthy.set(1);
    }

    /// Counts a frame from the broker.
    pub fn received(&self, class: DeliveryClass) {
        self.received.add(class, 1);
    }

    /// Counts a frame that was not published.
    pub fn publish_failed(&self, class: DeliveryClass) {
        self.publish_failures.add(class, 1);
    }

    /// Counts an interruption of the subscription.
    pub fn interrupted(&self) {
        self.interruptions.inc();
        self.healthy.set(0);
    }

    /// Counts a repair of the subscription.
    pub fn repaired(&self) {
        self.repairs.inc();
        self.healthy.set(1);
    }

    /// Records the time from publishing a heartbeat to receiving it.
    pub fn heartbeat_received(&self, latency: Duration) {
        self.publish_to_receive.observe(latency.as_secs_f64());
    }
}

impl Outcome for BrokerError {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
        }
    }
}
