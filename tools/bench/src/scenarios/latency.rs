//! One watcher who sees its own touches come back: the least that an event takes.

use std::time::Duration;

use anyhow::Result;

use super::scene::Scene;
use super::{Bench, Sample, Unit, sample};
use crate::load::Pace;
use crate::systems::{System, Wants};

/// Touches a second; a socket may send twice as many.
const RATE: f64 = 100.0;

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    let mut scene = Scene::open(bench, system, Wants::rooms(1), 1)?;
    let measured = scene.measure(Pace {
        rate: RATE,
        duration: bench.duration,
        warm_up: Duration::from_secs(1),
    })?;
    let latency = |quantile| measured.outcome.latency_ms(quantile);
    Ok(vec![
        sample("latency p50", Unit::Milliseconds, latency(0.5)),
        sample("latency p99", Unit::Milliseconds, latency(0.99)),
    ])
}
