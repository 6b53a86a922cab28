//! Keeps what a node knows of blocked addresses as new as the store.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::admission::address_blocks::AddressBlocks;
use crate::store::{Moderation, StoreError};

/// How often the blocked addresses are read: within this time a node obeys what an admin did at another one.
const INTERVAL: Duration = Duration::from_secs(5);

/// Reads the blocked addresses at intervals, until the node stops. Those that are known stay while the store fails,
/// which logs it: nothing can be posted then anyway.
pub async fn refresh(
    blocks: AddressBlocks,
    store: Arc<dyn Moderation>,
    stopping: CancellationToken,
) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        let read = async {
            let blocked = store.blocked_addresses().await?;
            Ok::<_, StoreError>(blocked.iter().map(|it| it.address).collect())
        };
        _ = blocks.refresh(read).await;
    }
}
