//! Makes the planned faults happen.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::Mutex;
use tokio::task::{JoinSet, spawn_blocking};
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
    // A repair may take longer than planned: the next fault of the same target waits for it.
    let mut targets: HashMap<Target, Arc<Mutex<()>>> = HashMap::new();
    let mut faults: JoinSet<Result<()>> = JoinSet::new();
    for fault in plan.iter().copied() {
        sleep_until(begin + fault.at).await;
        recorder.count(format!("fault: {}", fault.kind), 1);
        let target = Arc::clone(targets.entry(fault.kind.target()).or_default());
        let environment = Arc::clone(environment);
        faults.spawn(async move {
            let _exclusive = target.lock().await;
            make_and_repair(environment, fault, begin)
                .await
                .with_context(|| format!("making or repairing this fault: {fault}"))
        });
        while let Some(done) = faults.try_join_next() {
            done??;
        }
    }
    while let Some(done) = faults.join_next().await {
        done??;
    }
    Ok(())
}

async fn make_and_repair(
    environment: Arc<Environment>,
    fault: Planned,
    begin: Instant,
) -> Result<()> {
    let print = |what| {
        let (now, number, name) = (begin.elapsed().as_secs_f64(), fault.number, fault.what());
        println!("{now:7.1} s  fault {number} {what}: {name}");
    };
    print("begins");
    let shared = Arc::clone(&environment);
    spawn_blocking(move || shared.begin(&fault)).await??;
    sleep(fault.duration).await;
    spawn_blocking(move || environment.repair(&fault)).await??;
    print("is repaired");
    Ok(())
}
