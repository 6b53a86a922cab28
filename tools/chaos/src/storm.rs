//! Lets the planned faults happen.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::Mutex;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until};

use crate::bed::Bed;
use crate::fault::{Kind, Target};
use crate::schedule::Planned;

/// How often each kind happened.
pub type Tally = BTreeMap<Kind, usize>;

/// Lets every fault begin in its time and be repaired; returns when the last one is.
///
/// # Errors
/// When a fault cannot be made or repaired.
pub async fn rage(bed: &Arc<Bed>, plan: &[Planned], begin: Instant) -> Result<Tally> {
    // A repair may take longer than planned: the next fault of the same thing waits for it.
    let mut targets: HashMap<Target, Arc<Mutex<()>>> = HashMap::new();
    let mut faults = JoinSet::new();
    let mut tally = Tally::new();
    for fault in plan {
        sleep_until(begin + fault.at).await;
        *tally.entry(fault.kind).or_default() += 1;
        let target = Arc::clone(targets.entry(fault.kind.target()).or_default());
        faults.spawn(happen(Arc::clone(bed), *fault, target, begin));
        while let Some(done) = faults.try_join_next() {
            done??;
        }
    }
    while let Some(done) = faults.join_next().await {
        done??;
    }
    Ok(tally)
}

async fn happen(
    bed: Arc<Bed>,
    fault: Planned,
    target: Arc<Mutex<()>>,
    begin: Instant,
) -> Result<()> {
    let _mine = target.lock().await;
    tell(begin, &fault, "begins");
    blocking(&bed, move |bed| bed.begin(&fault))
        .await
        .with_context(|| format!("making this fault: {fault}"))?;
    sleep(fault.lasts).await;
    blocking(&bed, move |bed| bed.repair(&fault))
        .await
        .with_context(|| format!("repairing this fault: {fault}"))?;
    tell(begin, &fault, "is repaired");
    Ok(())
}

async fn blocking(
    bed: &Arc<Bed>,
    call: impl FnOnce(&Bed) -> Result<()> + Send + 'static,
) -> Result<()> {
    let bed = Arc::clone(bed);
    spawn_blocking(move || call(&bed)).await?
}

fn tell(begin: Instant, fault: &Planned, what: &str) {
    let now = begin.elapsed().as_secs_f64();
    println!(
        "{now:7.1} s  fault {} {what}: {}",
        fault.number,
        fault.what()
    );
}
