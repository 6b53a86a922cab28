//! What an idle watcher costs in memory of the process, without the kernel's buffers.

use std::time::Duration;

use anyhow::Result;

use super::Unit::Kibibytes;
use super::session::Session;
use super::{Bench, Sample, sample};
use crate::systems::{Setup, System};

/// Long enough for a garbage collector that runs now and then.
const SETTLE: Duration = Duration::from_secs(2);

pub fn run(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    let five = per_watcher(bench, system, 5_000)?;
    let ten = per_watcher(bench, system, 10_000)?;
    Ok(vec![
        sample("of 5,000, each", Kibibytes, five),
        sample("of 10,000, each", Kibibytes, ten),
    ])
}

/// What each of so many watchers takes, in KiB.
pub fn per_watcher(bench: &Bench, system: System, watchers: usize) -> Result<f64> {
    let resident = |watchers| {
        let mut session = Session::open(bench, system, Setup::rooms(1), watchers)?;
        session.load.idle(SETTLE)?;
        session.instance.process.resident_memory()
    };
    let alone = resident(1)?;
    let watched = resident(watchers)?;
    Ok(watched.saturating_sub(alone) as f64 / (watchers - 1) as f64)
}
