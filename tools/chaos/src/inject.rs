//! Makes the planned faults happen.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};

use crate::environment::Environment;
use crate::fault::Target;
use crate::recorder::Recorder;
use crate::schedule::Planned;

/// Makes and repairs every fault; returns when the last one is repaired.
pub async fn inject(
    environment: &Arc<Environment>,
    plan: &[Planned],
    begin: Instant,
    recorder: &Recorder,
) -> Result<()> {
    // One after the other on each target: a repair may take longer than planned.
    let mut targets: HashMap<Target, Vec<Planned>> = HashMap::new();
    for fault in plan {
        targets.entry(fault.kind.target()).or_default().push(*fault);
    }
    let targets = targets.into_values().map(|faults| async move {
        for fault in faults {
            sleep_until(begin + fault.at).await;
            recorder.count(format!("fault: {}", fault.kind), 1);
            make_and_repair(environment, fault, begin)
                .await
                .with_context(|| format!("making or repairing this fault: {fault}"))?;
        }
        Ok(())
    });
    try_join_all(targets).await.map(drop)
}

async fn make_and_repair(
    environment: &Arc<Environment>,
    fault: Planned,
    begin: Instant,
) -> Result<()> {
    let print = |what| {
        let (now, number, name) = (begin.elapsed().as_secs_f64(), fault.number, fault.what());
        println!("{now:7.1} s  fault {number} {what}: {name}");
    };
    print("begins");
    let shared = Arc::clone(environment);
    spawn_blocking(move || shared.begin(&fault)).await??;
    sleep(fault.duration).await;
    let shared = Arc::clone(environment);
    spawn_blocking(move || shared.repair(&fault)).await??;
    print("is repaired");
    Ok(())
}
