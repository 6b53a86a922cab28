//! What a node tells about itself, for Prometheus: in `OpenMetrics` text, on a port of its own.

use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::sweeper::metrics::SweepMetrics;
use crate::blob::metrics::BlobMetrics;
use crate::broker::metrics::BrokerMetrics;
use crate::http::metrics::HttpMetrics;
use crate::hub::metrics::HubMetrics;
use crate::store::metrics::StoreMetrics;

/// A node's figures, by the parts that tell them. A part that is cloned shares them.
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
    /// Everything that is told.
    pub registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tonesa");
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The program that runs", Info::new(version));
        Self {
            hub: HubMetrics::registered(&mut registry),
            broker: BrokerMetrics::registered(&mut registry),
            store: StoreMetrics::registered(&mut registry),
            blobs: BlobMetrics::registered(&mut registry),
            sweep: SweepMetrics::registered(&mut registry),
            http: HttpMetrics::registered(&mut registry),
            registry,
        }
    }
}
