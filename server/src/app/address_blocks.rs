//! Keeps what a node knows of blocked addresses as new as the store.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::admission::address_blocks::AddressBlocks;
use crate::panics::restart_on_panic;
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
    let refreshing = restart_on_panic(|| refresh_forever(&blocks, store.as_ref()));
    stopping.run_until_cancelled(refreshing).await;
}

async fn refresh_forever(blocks: &AddressBlocks, store: &dyn Moderation) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let read = async {
            let blocked = store.blocked_addresses().await?;
            Ok::<_, StoreError>(blocked.iter().map(|it| it.address).collect())
        };
        _ = blocks.refresh(read).await;
    }
}
