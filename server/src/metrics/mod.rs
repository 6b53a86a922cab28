//! What a node tells about itself, for Prometheus: in `OpenMetrics` text, on a port of its own.
//!
//! No label holds an id, an address or a text that came from outside, and each has a fixed set of values, so that the
//! number of series does not grow with use. `docs/operations.md` lists them all.

mod broker;
mod calls;
mod class;
mod endpoint;
mod gauges;
mod http;
mod hub;
mod storage;

use std::time::Duration;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use broker::BrokerMetrics;
pub use calls::{Calls, Outcome};
pub use endpoint::router;
pub use http::HttpMetrics;
pub use hub::{ENDINGS, HubMetrics, ResyncedFrom};
pub use storage::{BlobMetrics, StoreMetrics, SweepMetrics};

use crate::state::Node;
use gauges::Gauges;

/// A node's figures. A part that is cloned shares them.
#[derive(Debug)]
pub struct Metrics {
    /// Sockets and what is sent to them.
    pub hub: HubMetrics,
    /// Frames between nodes.
    pub broker: BrokerMetrics,
    /// Calls of the store.
    pub store: StoreMetrics,
    /// Calls of the blob store.
    pub blobs: BlobMetrics,
    /// Images that no upload refers to.
    pub sweep: SweepMetrics,
    /// Requests and their answers.
    pub http: HttpMetrics,
    publish_to_receive: Histogram,
    gauges: Gauges,
    registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tonesa");
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The program that runs", Info::new(version));
        let publish_to_receive = Histogram::new(exponential_buckets(0.000_1, 2.0, 16));
        registry.register_with_unit(
            "publish_to_receive",
            "Time from publishing a frame of the node's own to receiving it again",
            Unit::Seconds,
            publish_to_receive.clone(),
        );
        Self {
            hub: HubMetrics::registered(&mut registry),
            broker: BrokerMetrics::registered(&mut registry),
            store: StoreMetrics::registered(&mut registry),
            blobs: BlobMetrics::registered(&mut registry),
            sweep: SweepMetrics::registered(&mut registry),
            http: HttpMetrics::registered(&mut registry),
            gauges: Gauges::registered(&mut registry),
            publish_to_receive,
            registry,
        }
    }
}

impl Metrics {
    /// A frame that this node published came back after this time.
    pub fn received_own(&self, after: Duration) {
        self.publish_to_receive.observe(after.as_secs_f64());
    }

    /// Everything, as text of the `OpenMetrics` format; what is a state of the node is read at this moment.
    pub fn encode(&self, node: &Node) -> String {
        self.gauges.read(node);
        self.written()
    }

    /// Everything as it was told or read last.
    pub(crate) fn written(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("a text takes whatever is written to it");
        text
    }
}
