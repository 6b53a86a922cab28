//! What an idle watcher costs in memory: of the process, the kernel's buffers left out.

use std::time::Duration;

use anyhow::Result;

use super::scene::Scene;
use super::{Bench, Sample, Unit, sample};
use crate::systems::{System, Wants};
use crate::usage;

/// Long enough for a garbage collector that runs now and then.
const REST: Duration = Duration::from_secs(2);

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    Ok(vec![
        sample(
            "of 5,000, each",
            Unit::Kibibytes,
            each(bench, system, 5_000)?,
        ),
        sample(
            "of 10,000, each",
            Unit::Kibibytes,
            each(bench, system, 10_000)?,
        ),
    ])
}

/// What each of so many watchers takes, in KiB.
///
/// # Errors
/// When the system does not start, or refuses watchers.
pub fn each(bench: &Bench, system: &dyn System, watchers: usize) -> Result<f64> {
    let wants = Wants::rooms(1);
    let alone = resident(Scene::open(bench, system, wants, 1)?)?;
    let watched = resident(Scene::open(bench, system, wants, watchers)?)?;
    Ok(watched.saturating_sub(alone) as f64 / 1024.0 / (watchers - 1) as f64)
}

fn resident(mut scene: Scene) -> Result<u64> {
    scene.load.idle(REST)?;
    usage::resident(scene.instance.process()?)
}
