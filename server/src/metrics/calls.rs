//! Durations and outcomes of the calls of a backend.

use std::time::Instant;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The upper bounds of the histogram buckets, in seconds.
const BUCKETS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// How a failed call is labelled, by its error.
pub trait Outcome {
    /// The label's value.
    fn outcome(&self) -> &'static str;
}

/// Durations of a backend's calls, by operation and outcome. Clones share them.
#[derive(Debug, Clone)]
pub struct CallMetrics(Family<Labels, Histogram, fn() -> Histogram>);

type Labels = [(&'static str, &'static str); 2];

/// Makes an empty histogram of durations.
pub fn duration_histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl CallMetrics {
    /// Registers the histograms. The series of each of these operations exists from the start, so that its
    /// first call shows as an increase.
    pub fn registered(
        registry: &mut Registry,
        (name, help): (&str, &str),
        operations: &[&'static str],
    ) -> Self {
        let calls: Family<Labels, _, _> =
            Family::new_with_constructor(duration_histogram as fn() -> Histogram);
        for operation in operations {
            drop(calls.get_or_create(&[("operation", *operation), ("outcome", "ok")]));
        }
        registry.register_with_unit(name, help, Unit::Seconds, calls.clone());
        Self(calls)
    }

    /// Makes the call, and records its duration and outcome; a call that is dropped counts as `abandoned`.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn measure<T, E: Outcome>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut timer = CallTimer {
            calls: self,
            operation,
            outcome: "abandoned",
            started: Instant::now(),
        };
        let result = call.await;
        timer.outcome = result.as_ref().err().map_or("ok", Outcome::outcome);
        result
    }
}

/// Records the call when it is dropped, since the caller may stop waiting.
struct CallTimer<'a> {
    calls: &'a CallMetrics,
    operation: &'static str,
    outcome: &'static str,
    started: Instant,
}

impl Drop for CallTimer<'_> {
    fn drop(&mut self) {
        let labels = [("operation", self.operation), ("outcome", self.outcome)];
        let seconds = self.started.elapsed().as_secs_f64();
        self.calls.0.get_or_create(&labels).observe(seconds);
    }
}
