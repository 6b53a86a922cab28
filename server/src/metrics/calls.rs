//! How long a backend's calls take, and how they end.

use std::time::Instant;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::blob::BlobError;
use crate::broker::BrokerError;
use crate::store::StoreError;

/// The upper bounds of the buckets of every latency, in seconds.
const BOUNDS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// How a failed call is told: by the meaning of its error.
pub trait Outcome {
    /// A label's value.
    fn outcome(&self) -> &'static str;
}

/// Latencies of a backend's calls, by operation and outcome. Clones share them.
#[derive(Debug, Clone)]
pub struct Calls(Family<Labels, Histogram, fn() -> Histogram>);

type Labels = [(&'static str, &'static str); 2];

/// An empty histogram of latencies.
pub(super) fn latencies() -> Histogram {
    Histogram::new(BOUNDS)
}

impl Calls {
    /// The operations' series are there from the start, so that the first call already shows as an increase.
    pub(super) fn registered(
        registry: &mut Registry,
        (name, help): (&str, &str),
        operations: &[&'static str],
    ) -> Self {
        let calls: Family<Labels, _, _> =
            Family::new_with_constructor(latencies as fn() -> Histogram);
        for operation in operations {
            drop(calls.get_or_create(&[("operation", *operation), ("outcome", "ok")]));
        }
        registry.register_with_unit(name, help, Unit::Seconds, calls.clone());
        Self(calls)
    }

    /// Makes the call and notes how long it took and how it ended; one that is dropped ends as `abandoned`.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn measure<T, E: Outcome>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut ending = Ending {
            calls: self,
            operation,
            outcome: "abandoned",
            started: Instant::now(),
        };
        let result = call.await;
        ending.outcome = result.as_ref().err().map_or("ok", Outcome::outcome);
        result
    }
}

/// Notes the call when it is dropped, since whoever waits for a backend may give up.
struct Ending<'a> {
    calls: &'a Calls,
    operation: &'static str,
    outcome: &'static str,
    started: Instant,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let labels = [("operation", self.operation), ("outcome", self.outcome)];
        let seconds = self.started.elapsed().as_secs_f64();
        self.calls.0.get_or_create(&labels).observe(seconds);
    }
}

impl Outcome for StoreError {
    fn outcome(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Unavailable | Self::Moved => "unavailable",
        }
    }
}

impl Outcome for BlobError {
    fn outcome(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Outcome for BrokerError {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
        }
    }
}
