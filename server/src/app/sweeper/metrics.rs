//! Metrics of sweeping.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::sweep::SweepStats;

/// Counts the images that sweeps have marked, put back and removed. Clones share the counters.
#[derive(Debug, Clone)]
pub struct SweepMetrics(Family<[(&'static str, &'static str); 1], Counter>);

impl SweepMetrics {
    /// Registers the counters.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self(Family::default());
        metrics.swept(SweepStats::default());
        registry.register(
            "images_swept",
            "Images that no upload refers to: set aside, put back, removed",
            metrics.0.clone(),
        );
        metrics
    }

    /// Adds what a sweep did.
    pub fn swept(&self, swept: SweepStats) {
        for (what, count) in [
            ("set_aside", swept.marked),
            ("put_back", swept.put_back),
            ("removed", swept.removed),
        ] {
            let counter = self.0.get_or_create(&[("what", what)]);
            counter.inc_by(count as u64);
        }
    }
}
