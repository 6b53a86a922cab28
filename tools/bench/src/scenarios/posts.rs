//! Messages over HTTP, durable before they are sent: the same fan-out as touches, and beside it what a post costs by
//! itself. Of the bare program, what the fan-out of such frames alone reaches: they are three times as long as touches.

use anyhow::Result;

use super::Unit::{PerCpuSecond, PerSecond};
use super::saturation::Search;
use super::session::{Measurement, Session};
use super::{Bench, Sample, sample};
use crate::load::Pace;
use crate::systems::{Setup, System};

/// Posts a second under light load.
const RATE: f64 = 20.0;
/// Posts that wait for the same disk sync share it.
const CONNECTIONS: usize = 64;

const DELIVERIES: &str = "saturation: deliveries";

pub fn run(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    if system == System::Bare {
        let setup = Setup {
            long_events: true,
            ..Setup::merging(1)
        };
        let rate = Search::new(bench, system, setup, bench.watchers).run("long events")?;
        return Ok(vec![sample(DELIVERIES, PerSecond, rate)]);
    }
    let watched = light(bench, system, bench.watchers)?;
    let alone = light(bench, system, 1)?;
    let processor = watched.processor.saturating_sub(alone.processor);
    let deliveries = (watched.outcome.received).saturating_sub(alone.outcome.received);
    let fan_out = deliveries as f64 / processor.as_secs_f64().max(0.01);
    let highest = |watchers, name| {
        let search = Search::new(bench, system, Setup::rooms(1), watchers);
        search.by_posts(CONNECTIONS).run(name)
    };
    let rate = highest(bench.watchers, "posts")?;
    let posts = rate / bench.watchers as f64;
    let unwatched = highest(1, "posts with one watcher")?;
    Ok(vec![
        sample(
            "20 posts/s: deliveries",
            PerCpuSecond,
            watched.per_cpu_second(),
        ),
        sample(
            "20 posts/s: deliveries without the posts' own time",
            PerCpuSecond,
            fan_out,
        ),
        sample(DELIVERIES, PerSecond, rate),
        sample("saturation: posts", PerSecond, posts),
        sample("saturation: posts with one watcher", PerSecond, unwatched),
    ])
}

fn light(bench: &Bench, system: System, watchers: usize) -> Result<Measurement> {
    let mut session = Session::open(bench, system, Setup::rooms(1), watchers)?;
    session.post_over(CONNECTIONS)?;
    session.measure(Pace::new(RATE, bench.duration))
}
