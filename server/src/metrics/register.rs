//! Creates and registers metrics in one step.

use prometheus_client::registry::{Metric, Registry};

/// Creates a metric with its default value, registers it, and returns it. Clones of a metric share its value.
pub fn registered<M: Metric + Default + Clone>(
    registry: &mut Registry,
    name: &str,
    help: &str,
) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}
