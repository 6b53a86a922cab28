//! Metrics of the blob store.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::BlobError;
use crate::metrics::{CallMetrics, Outcome};

/// Durations of calls, and a count of broken reads. Clones share them.
#[derive(Debug, Clone)]
pub struct BlobMetrics {
    /// Durations of calls; that of a read ends when its bytes begin.
    pub calls: CallMetrics,
    reads_broken: Counter,
}

impl BlobMetrics {
    /// Registers the metrics.
    pub fn registered(registry: &mut Registry) -> Self {
        let calls = CallMetrics::registered(
            registry,
            (
                "blob_call_duration",
                "How long calls of the blob store took, by operation and outcome; a read ends when its bytes begin",
            ),
            &[
                "put",
                "read",
                "delete",
                "list",
                "put_derived",
                "read_derived",
                "list_derived",
                "pairing",
                "pair",
                "mark_orphan",
                "unmark_orphan",
                "orphan_marks",
                "ping",
                "clear_unfinished",
            ],
        );
        let reads_broken = Counter::default();
        registry.register(
            "blob_reads_broken",
            "Reads of images that broke off after their bytes had begun",
            reads_broken.clone(),
        );
        Self {
            calls,
            reads_broken,
        }
    }

    /// Counts a read that failed after its bytes had begun.
    pub fn read_broke(&self) {
        self.reads_broken.inc();
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
