//! Two nodes through Redis: what the way between them adds, and what a node takes to read from Redis.

use anyhow::Result;

use super::Unit::{Count, Milliseconds, PerCpuSecond};
use super::session::Session;
use super::{Bench, Sample, sample};
use crate::load::{GRADUALLY, Load, Outcome, Pace};
use crate::systems::{Pair, Setup, System};

/// Touches a second, for the latency.
const RATE: f64 = 20.0;
/// Frames a second, for reading from Redis: so many that a node reads several at a time, as a busy one does; of a
/// quarter as many it reads and writes nearly each by itself, at more than twice the cost.
const FRAMES: f64 = 400_000.0;
/// One watcher of one image, so that many frames go out with one write and hardly anything but reading takes time; and
/// one of each of ten images.
const READ: [(&str, usize); 2] = [
    ("read from Redis, of one image", 1),
    ("read from Redis, of ten images", 10),
];

pub fn run(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    let (one, two) = (one_node(bench, system)?, two_nodes(bench, system)?);
    let lost = two.lost() as f64;
    let (one, two) = (one.latency_ms(0.5), two.latency_ms(0.5));
    let mut samples = vec![
        sample("one node: p50", Milliseconds, one),
        sample("two nodes: p50", Milliseconds, two),
        sample("added at p50", Milliseconds, two - one),
        sample("lost", Count, lost),
    ];
    for (name, rooms) in READ {
        let read = read_from_redis(bench, system, rooms)?;
        samples.extend(read.map(|read| sample(name, PerCpuSecond, read)));
    }
    Ok(samples)
}

fn one_node(bench: &Bench, system: System) -> Result<Outcome> {
    let mut session = Session::open(bench, system, Setup::rooms(1), bench.watchers)?;
    session.load.set_senders(1);
    Ok(session.measure(Pace::new(RATE, bench.duration))?.outcome)
}

/// One watcher of the first node taps, all of the second see it.
fn two_nodes(bench: &Bench, system: System) -> Result<Outcome> {
    let Pair { first, second, .. } = &system.start_pair(bench, 1)?;
    let mut load = Load::new()?;
    let watchers = vec![0; bench.watchers - 1];
    load.open(first.address, &[0], |room| first.script(room), GRADUALLY)?;
    load.open(
        second.address,
        &watchers,
        |room| second.script(room),
        GRADUALLY,
    )?;
    load.set_senders(1);
    load.run(Pace::new(RATE, bench.duration), &first.protocol.event)
}

/// Frames a second of processor time. The load itself publishes them at Redis, so that the node only reads and
/// delivers.
fn read_from_redis(bench: &Bench, system: System, rooms: usize) -> Result<Option<f64>> {
    let pair = system.start_pair(bench, rooms)?;
    let Some(publish) = &pair.publish else {
        return Ok(None);
    };
    let node = &pair.second;
    let mut load = Load::new()?;
    let rooms: Vec<_> = (0..rooms).collect();
    load.open(node.address, &rooms, |room| node.script(room), GRADUALLY)?;
    load.publish_by_stream(pair.redis_address())?;
    let before = node.process.processor_time()?;
    let outcome = load.run(Pace::new(FRAMES, bench.duration / 2), publish)?;
    let processor = node.process.processor_time()?.saturating_sub(before);
    Ok(Some(outcome.received as f64 / processor.as_secs_f64()))
}
