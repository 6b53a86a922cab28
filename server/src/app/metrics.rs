//! The node's metrics for Prometheus, as `OpenMetrics` text on a port of its own.

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::sweeper::metrics::SweepMetrics;
use crate::blob::metrics::BlobMetrics;
use crate::broker::metrics::BrokerMetrics;
use crate::clock;
use crate::http::metrics::HttpMetrics;
use crate::hub::metrics::HubMetrics;
use crate::store::metrics::StoreMetrics;

/// The metrics of each part of the node. Clones of a part share its values.
#[derive(Debug)]
pub struct Metrics {
    /// Of sockets and what is sent to them.
    pub hub: HubMetrics,
    /// Of frames between nodes.
    pub broker: BrokerMetrics,
    /// Of calls of the store.
    pub store: StoreMetrics,
    /// Of calls of the blob store.
    pub blobs: BlobMetrics,
    /// Of images that no upload refers to.
    pub sweep: SweepMetrics,
    /// Of requests and their answers.
    pub http: HttpMetrics,
    /// All of these, registered.
    pub registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tonesa");
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The program that runs", Info::new(version));
        registry.register_with_unit(
            "start_time",
            "When the node was started, in seconds since 1970",
            Unit::Seconds,
            ConstGauge::new(clock::now().unix_millis() / 1_000),
        );
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
