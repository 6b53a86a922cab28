//! Messages over HTTP, durable before they are sent: the same fan-out as touches, and beside it what a post costs by
//! itself.

use std::time::Duration;

use anyhow::Result;

use super::saturation::Search;
use super::scene::{Measured, Scene};
use super::{Bench, Sample, Unit, sample};
use crate::load::Pace;
use crate::systems::{System, Wants};

/// Posts a second under light load.
const RATE: f64 = 20.0;
/// Connections on which posts are sent; those that wait for the same disk sync share it.
const CONNECTIONS: usize = 64;

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    let watched = light(bench, system, bench.watchers)?;
    let alone = light(bench, system, 1)?;
    let fan_out = watched.processor.saturating_sub(alone.processor);
    let deliveries = watched
        .outcome
        .received
        .saturating_sub(alone.outcome.received);
    let most = |watchers, name| {
        Search::new(bench, system, Wants::rooms(1), watchers)
            .by_posts(CONNECTIONS)
            .run(name)
    };
    let best = most(bench.watchers, "posts")?;
    let unwatched = most(1, "posts with one watcher")?;
    Ok(vec![
        sample(
            "20 posts/s: deliveries",
            Unit::PerCpuSecond,
            watched.per_processor_second(),
        ),
        sample(
            "… without what the same posts take with one watcher",
            Unit::PerCpuSecond,
            deliveries as f64 / fan_out.as_secs_f64().max(0.01),
        ),
        sample(
            "20 posts/s: latency p50",
            Unit::Milliseconds,
            watched.outcome.latency_ms(0.5),
        ),
        sample(
            "20 posts/s: latency p99",
            Unit::Milliseconds,
            watched.outcome.latency_ms(0.99),
        ),
        sample("saturation: deliveries", Unit::PerSecond, best.rate),
        sample(
            "saturation: posts",
            Unit::PerSecond,
            best.rate / bench.watchers as f64,
        ),
        sample("… with one watcher", Unit::PerSecond, unwatched.rate),
    ])
}

fn light(bench: &Bench, system: &dyn System, watchers: usize) -> Result<Measured> {
    let mut scene = Scene::open(bench, system, Wants::rooms(1), watchers)?;
    scene.by_posts(CONNECTIONS)?;
    scene.measure(Pace {
        rate: RATE,
        duration: bench.duration,
        warm_up: Duration::ZERO,
    })
}
