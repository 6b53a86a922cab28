//! Figures of the store and the blob store.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::Calls;
use crate::blob::sweep::Swept;
use crate::store::Appended;

/// The states of an appended message.
const NEW: &str = "new";
const KNOWN: &str = "known";

/// What is told about the store. Clones share it.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    /// Its calls.
    pub calls: Calls,
    group: Histogram,
    appended: Family<[(&'static str, &'static str); 1], Counter>,
}

impl StoreMetrics {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let calls = Calls::registered(
            registry,
            (
                "store_call_duration",
                "How long calls of the store took, by operation and outcome",
            ),
            &["insert_upload", "upload", "append", "messages", "ping"],
        );
        let appended = Family::default();
        for state in [NEW, KNOWN] {
            drop(appended.get_or_create(&[("state", state)]));
        }
        let metrics = Self {
            calls,
            // 1 to 256, the most that one append takes.
            group: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            appended,
        };
        registry.register(
            "append_group_messages",
            "Posted messages that were grouped into one append",
            metrics.group.clone(),
        );
        registry.register(
            "messages_appended",
            "Messages posted and durable: new ones, and known ones that were posted again",
            metrics.appended.clone(),
        );
        metrics
    }

    /// This many messages go into one append.
    pub fn grouped(&self, messages: usize) {
        self.group
            .observe(f64::from(u32::try_from(messages).unwrap_or(u32::MAX)));
    }

    /// These messages are durable.
    pub fn appended(&self, messages: &[Appended]) {
        let new = messages
            .iter()
            .filter(|message| matches!(message, Appended::New(_)))
            .count();
        for (state, count) in [(NEW, new), (KNOWN, messages.len() - new)] {
            let counter = self.appended.get_or_create(&[("state", state)]);
            counter.inc_by(count as u64);
        }
    }
}

/// What is told about the blob store. Clones share it.
#[derive(Debug, Clone)]
pub struct BlobMetrics {
    /// Its calls; a read ends when its bytes begin.
    pub calls: Calls,
    reads_broken: Counter,
}

impl BlobMetrics {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let calls = Calls::registered(
            registry,
            (
                "blob_call_duration",
                "How long calls of the blob store took, by operation and outcome; a read ends when its bytes begin",
            ),
            &["put", "read", "delete", "list", "ping"],
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

    /// A read broke off after its bytes had begun.
    pub fn read_broke(&self) {
        self.reads_broken.inc();
    }
}

/// What is told about sweeping. Clones share it.
#[derive(Debug, Clone)]
pub struct SweepMetrics(Family<[(&'static str, &'static str); 1], Counter>);

impl SweepMetrics {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self(Family::default());
        metrics.swept(Swept::default());
        registry.register(
            "images_swept",
            "Images that no upload refers to: set aside, put back, removed",
            metrics.0.clone(),
        );
        metrics
    }

    /// A sweep did this.
    pub fn swept(&self, swept: Swept) {
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
