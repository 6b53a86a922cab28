//! What a node tells about itself, for Prometheus.

use std::time::Duration;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// A node's figures. A clone shares them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    publish_to_receive: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tonesa");
        let publish_to_receive = Histogram::new(exponential_buckets(0.000_1, 2.0, 16));
        registry.register(
            "publish_to_receive_seconds",
            "Time from publishing a frame of the node's own to receiving it again",
            publish_to_receive.clone(),
        );
        Self {
            registry,
            publish_to_receive,
        }
    }
}

impl Metrics {
    /// A frame that this node published came back after this time.
    pub fn received_own(&self, after: Duration) {
        self.publish_to_receive.observe(after.as_secs_f64());
    }

    /// Everything, as text of the `OpenMetrics` format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("a text takes whatever is written to it");
        text
    }
}
