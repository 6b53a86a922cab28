//! Two nodes through Redis: what the way between them adds, and what a node takes to read from Redis.

use std::time::Duration;

use anyhow::Result;

use super::scene::{GENTLY, Scene};
use super::{Bench, Sample, Unit, sample};
use crate::load::{Load, Outcome, Pace, Via};
use crate::systems::{Pair, System, Wants};
use crate::usage::ProcessorTime;

/// Touches a second, for the latency.
const RATE: f64 = 20.0;
/// For reading from Redis, frames a second: so many that a node reads several at a time, as one that has much to do does;
/// of a quarter as many it reads and writes nearly each by itself, at more than twice the cost. Of one room with one
/// watcher, so that many go out with one write and hardly anything but reading takes time; and of ten such rooms.
const FRAMES: f64 = 400_000.0;
const READ: [(&str, usize); 2] = [
    ("read from Redis, of one image", 1),
    ("read from Redis, of ten images", 10),
];

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    let one = one_node(bench, system)?;
    let two = two_nodes(bench, system)?;
    let mut samples = Vec::new();
    for (figure, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        let latencies = [one.latency_ms(quantile), two.latency_ms(quantile)];
        let names: [&'static str; 3] = match figure {
            "p50" => ["one node: p50", "two nodes: p50", "added at p50"],
            _ => ["one node: p99", "two nodes: p99", "added at p99"],
        };
        let values = [latencies[0], latencies[1], latencies[1] - latencies[0]];
        let of_figure = names.into_iter().zip(values);
        samples.extend(of_figure.map(|(name, value)| sample(name, Unit::Milliseconds, value)));
    }
    samples.push(sample("lost", Unit::Count, two.lost() as f64));
    for (name, rooms) in READ {
        let read = reading(bench, system, rooms)?;
        samples.extend(read.map(|read| sample(name, Unit::PerCpuSecond, read)));
    }
    Ok(samples)
}

fn one_node(bench: &Bench, system: &dyn System) -> Result<Outcome> {
    let mut scene = Scene::open(bench, system, Wants::rooms(1), bench.watchers)?;
    scene.load.only_first_send(1);
    Ok(scene.measure(pace(bench))?.outcome)
}

/// One watcher of the first node taps, all of the second see it.
fn two_nodes(bench: &Bench, system: &dyn System) -> Result<Outcome> {
    let Pair { first, second, .. } = &system.start_pair(&bench.ground, 1)?;
    let mut load = Load::new()?;
    load.open(first.address, &[0], |room| first.script(room), GENTLY)?;
    let watchers = vec![0; bench.watchers - 1];
    load.open(
        second.address,
        &watchers,
        |room| second.script(room),
        GENTLY,
    )?;
    load.only_first_send(1);
    load.run(pace(bench), Via::Sockets, &first.speech().event)
}

fn pace(bench: &Bench) -> Pace {
    Pace {
        rate: RATE,
        duration: bench.duration,
        warm_up: Duration::ZERO,
    }
}

/// Frames are published at Redis by the load itself, so that the node does nothing but read and deliver them.
fn reading(bench: &Bench, system: &dyn System, rooms: usize) -> Result<Option<f64>> {
    let pair = system.start_pair(&bench.ground, rooms)?;
    let Some(publish) = &pair.publish else {
        return Ok(None);
    };
    let second = &pair.second;
    let mut load = Load::new()?;
    let rooms: Vec<_> = (0..rooms).collect();
    load.open(second.address, &rooms, |room| second.script(room), GENTLY)?;
    load.post_to(pair.redis_address(), 1, true)?;
    let process = second.process()?;
    let before = ProcessorTime::of(process)?;
    let pace = Pace {
        rate: FRAMES,
        duration: bench.duration / 2,
        warm_up: Duration::ZERO,
    };
    let outcome = load.run(pace, Via::Posts, publish)?;
    let processor = ProcessorTime::of(process)?.since(&before);
    Ok(Some(outcome.received as f64 / processor.as_secs_f64()))
}
