//! Light load: what a delivery costs when nothing waits.

use std::time::Duration;

use anyhow::Result;

use super::scene::Scene;
use super::{Bench, Sample, Unit, sample};
use crate::load::Pace;
use crate::systems::{System, Wants};

/// Touches a second.
const RATE: f64 = 20.0;

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    let wants = Wants::rooms(1);
    let mut scene = Scene::open(bench, system, wants, bench.watchers)?;
    let pace = Pace {
        rate: RATE,
        duration: bench.duration,
        warm_up: Duration::ZERO,
    };
    let measured = scene.measure(pace)?;
    let latency = |quantile| measured.outcome.latency_ms(quantile);
    Ok(vec![
        sample(
            "deliveries",
            Unit::PerCpuSecond,
            measured.per_processor_second(),
        ),
        sample("latency p50", Unit::Milliseconds, latency(0.5)),
        sample("latency p99", Unit::Milliseconds, latency(0.99)),
        sample("latency p99.9", Unit::Milliseconds, latency(0.999)),
        sample("lost", Unit::Count, measured.outcome.lost() as f64),
    ])
}
