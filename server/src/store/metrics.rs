//! Metrics of the store.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::{Appended, StoreError};
use crate::metrics::{CallMetrics, Outcome};

/// The states of an appended message.
const NEW: &str = "new";
const KNOWN: &str = "known";

/// Durations of calls, and counts of messages. Clones share them.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    /// Durations of calls.
    pub calls: CallMetrics,
    group: Histogram,
    appended: Family<[(&'static str, &'static str); 1], Counter>,
}

impl StoreMetrics {
    /// Registers the metrics.
    pub fn registered(registry: &mut Registry) -> Self {
        let calls = CallMetrics::registered(
            registry,
            (
                "store_call_duration",
                "How long calls of the store took, by operation and outcome",
            ),
            &[
                "insert_upload",
                "upload",
                "append",
                "entries",
                "delete_message",
                "finish_deletions",
                "delete_upload",
                "removals",
                "remove_log",
                "finish_removal",
                "ping",
                "pairing",
                "pair",
                "newest_uploads",
                "stored_bytes",
                "has_short_id",
                "unused_short_ids",
                "add_report",
                "list_uploads",
                "reports",
                "dismiss_reports",
                "block_image",
                "is_image_blocked",
                "block_address",
                "blocked_addresses",
            ],
        );
        let appended = Family::default();
        for state in [NEW, KNOWN] {
            drop(appended.get_or_create(&[("state", state)]));
        }
        let metrics = Self {
            calls,
            // 1 to 256, the most drafts of one append.
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

    /// Records the number of drafts of one append.
    pub fn record_group(&self, messages: usize) {
        self.group
            .observe(f64::from(u32::try_from(messages).unwrap_or(u32::MAX)));
    }

    /// Counts messages that are durable now.
    pub fn record_appended(&self, messages: &[Appended]) {
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
            Self::Gone => "gone",
            Self::Forbidden => "forbidden",
            Self::AlreadyExists => "already_exists",
            Self::Unavailable | Self::Moved => "unavailable",
        }
    }
}
