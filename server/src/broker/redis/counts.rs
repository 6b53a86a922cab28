//! Counters in Redis, each a key that expires. They use the connections for publishing.

use std::time::Duration;

use async_trait::async_trait;

use super::RedisBroker;
use crate::admission::shared_counts::{NotCounted, SharedCounts};
use crate::metrics::Outcome;

/// The prefix of all keys, so that one rule (`~rate:*`) gives a Redis user access to them.
const PREFIX: &str = "rate:";

#[async_trait]
impl SharedCounts for RedisBroker {
    async fn count(&self, name: &str, keep: Duration) -> Result<u64, NotCounted> {
        let key = format!("{PREFIX}{name}");
        let link = self.routes.link_of(&key);
        let call = async {
            let counted = link.count(&key, keep).await;
            counted.map_err(|reason| NotCounted(reason.to_string()))
        };
        self.links.metrics.calls.measure("count", call).await
    }
}

impl Outcome for NotCounted {
    fn outcome(&self) -> &'static str {
        "unavailable"
    }
}
