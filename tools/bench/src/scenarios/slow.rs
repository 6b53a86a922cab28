//! A watcher that reads nothing any more, among many that do: what the others notice of it.

use std::time::Duration;

use anyhow::Result;

use super::scene::{Measured, Scene};
use super::{Bench, Sample, Unit, sample};
use crate::load::{Opening, Pace};
use crate::systems::{System, Wants};

/// Touches a second: enough for what the kernel keeps for the dead watcher to be full within a second or two.
const RATE: f64 = 200.0;
const DEAD: Opening = Opening {
    at_once: 1,
    dead: true,
};

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    let without = measure(bench, system, false)?;
    let with = measure(bench, system, true)?;
    let latency = |measured: &Measured| measured.outcome.latency_ms(0.99);
    Ok(vec![
        sample(
            "deliveries without it",
            Unit::PerCpuSecond,
            without.per_processor_second(),
        ),
        sample(
            "deliveries with it",
            Unit::PerCpuSecond,
            with.per_processor_second(),
        ),
        sample(
            "latency p99 without it",
            Unit::Milliseconds,
            latency(&without),
        ),
        sample("latency p99 with it", Unit::Milliseconds, latency(&with)),
        sample("lost to others", Unit::Count, with.outcome.lost() as f64),
    ])
}

fn measure(bench: &Bench, system: &dyn System, is_dead: bool) -> Result<Measured> {
    let mut scene = Scene::open(bench, system, Wants::rooms(1), bench.watchers - 1)?;
    if is_dead {
        let script = |room| scene.instance.script(room);
        scene
            .load
            .open(scene.instance.address, &[0], script, DEAD)?;
    }
    scene.load.only_first_send(bench.watchers - 1);
    scene.measure(Pace {
        rate: RATE,
        duration: bench.duration,
        warm_up: bench.duration.mul_f64(0.3).min(Duration::from_secs(3)),
    })
}
