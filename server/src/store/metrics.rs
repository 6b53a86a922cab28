//! Figures of the store.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::{Appended, StoreError};
use crate::metrics::{Calls, Outcome};

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
    /// Figures that are told with the others of this registry.
    pub fn registered(registry: &mut Registry) -> Self {
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

impl Outcome for StoreError {
    fn outcome(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Unavailable | Self::Moved => "unavailable",
        }
    }
}
