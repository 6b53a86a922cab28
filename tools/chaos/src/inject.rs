//! Makes the planned faults happen.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};

use crate::environment::Environment;
use crate::recorder::Recorder;
use crate::schedule::Planned;

/// Makes and repairs every fault; returns when the last one is repaired and everything should have recovered.
pub async fn inject(
    environment: &Arc<Environment>,
    lanes: &[Vec<Planned>],
    begin: Instant,
    recorder: &Recorder,
) -> Result<()> {
    let lanes = lanes.iter().map(|faults| async move {
        for fault in faults {
            // Later if the repair of the one before has taken longer than planned.
            sleep_until(begin + fault.at).await;
            recorder.count(format!("fault: {}", fault.kind), 1);
            make_and_repair(environment, *fault, begin)
                .await
                .with_context(|| format!("making or repairing this fault: {fault}"))?;
        }
        let end = faults.last().map(Planned::end).unwrap_or_default();
        sleep_until(begin + end).await;
        Ok(())
    });
    try_join_all(lanes).await.map(drop)
}

async fn make_and_repair(
    environment: &Arc<Environment>,
    fault: Planned,
    begin: Instant,
) -> Result<()> {
    let print = |what| println!("{:7.1} s  {fault} {what}", begin.elapsed().as_secs_f64());
    print("begins");
    let shared = Arc::clone(environment);
    spawn_blocking(move || shared.begin(&fault)).await??;
    sleep(fault.duration).await;
    let shared = Arc::clone(environment);
    spawn_blocking(move || shared.repair(&fault)).await??;
    print("is repaired");
    Ok(())
}
