//! Many small rooms: saturation where one event has few deliveries.

use anyhow::Result;

use super::saturation::Search;
use super::{Bench, Sample, Unit, sample};
use crate::systems::{System, Wants};

const ROOMS: usize = 2_000;
const WATCHERS: usize = 5;

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    let wants = Wants::rooms(ROOMS).together();
    let best = Search::new(bench, system, wants, WATCHERS).run("rooms")?;
    Ok(vec![
        sample("deliveries", Unit::PerSecond, best.rate),
        sample("latency p99 there", Unit::Milliseconds, best.p99),
        sample(
            "processor time there",
            Unit::PerCpuSecond,
            best.per_processor_second,
        ),
    ])
}
