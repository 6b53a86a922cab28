//! Metrics of sweeping.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::sweep::SweepStats;

/// Counts the images that sweeps have marked, unmarked and removed. Clones share the counters.
#[derive(Debug, Clone)]
pub struct SweepMetrics(Family<[(&'static str, &'static str); 1], Counter>);

impl SweepMetrics {
    /// Registers the counters.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self(Family::default());
        metrics.add(SweepStats::default());
        registry.register(
            "images_swept",
            "Images that no upload refers to: marked (set_aside), unmarked (put_back), removed",
            metrics.0.clone(),
        );
        metrics
    }

    /// Adds the results of a sweep.
    pub fn add(&self, stats: SweepStats) {
        for (what, count) in [
            ("set_aside", stats.marked),
            ("put_back", stats.unmarked),
            ("removed", stats.removed),
        ] {
            let counter = self.0.get_or_create(&[("what", what)]);
            counter.inc_by(count as u64);
        }
    }
}
