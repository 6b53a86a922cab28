//! Sweeps the blob store for images that no upload refers to, as a node leaves one that dies between the two writes.

use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::blob::sweep::{MIN_AGE, SweepError, sweep};
use crate::state::Backends;

/// How often the whole blob store is looked through.
const EVERY: Duration = Duration::from_hours(6);
/// The pause between two stretches of it, so that readers do not notice.
const PAUSE: Duration = Duration::from_secs(1);

/// Sweeps from time to time until the node stops.
pub async fn run(backends: Backends, stopping: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        let sweeping = async { tokio::join!(sweep_all(&backends), clear_unfinished(&backends)) };
        let Some((swept, cleared)) = stopping.run_until_cancelled(sweeping).await else {
            return;
        };
        // What was not reached is there next time too.
        if let Err(error) = swept.and(cleared) {
            tracing::warn!(%error, "sweeping the images was cut short");
        }
    }
}

/// What was begun so long ago is not under way any more.
async fn clear_unfinished(backends: &Backends) -> Result<(), SweepError> {
    let before = SystemTime::now() - MIN_AGE;
    let cleared = backends.blobs.clear_unfinished(before).await?;
    if cleared > 0 {
        tracing::info!(cleared, "removed what unfinished uploads had left");
    }
    Ok(())
}

async fn sweep_all(backends: &Backends) -> Result<(), SweepError> {
    let (blobs, store) = (backends.blobs.as_ref(), backends.store.as_ref());
    let mut after = None;
    loop {
        after = sweep(blobs, store, after, SystemTime::now()).await?.next;
        if after.is_none() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
