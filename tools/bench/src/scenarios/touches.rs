//! Touches at a fixed rate: what a delivery costs when nothing waits, how long one takes, and what a watcher that reads
//! nothing any more does to the others.

use std::time::Duration;

use anyhow::Result;

use super::Unit::{Count, Milliseconds, PerCpuSecond};
use super::session::{Measurement, Session};
use super::{Bench, Sample, sample};
use crate::load::{Opening, Pace};
use crate::systems::{Setup, System};

const LIGHT_RATE: f64 = 20.0;
/// A socket may send twice as many.
const ONE_WATCHER_RATE: f64 = 100.0;
/// Enough for what the kernel keeps for the stalled watcher to be full within a second or two.
const SLOW_RATE: f64 = 200.0;

const STALLED: Opening = Opening {
    at_once: 1,
    stalled: true,
};

pub fn light(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    let mut session = Session::open(bench, system, Setup::rooms(1), bench.watchers)?;
    let measured = session.measure(Pace::new(LIGHT_RATE, bench.duration))?;
    let outcome = &measured.outcome;
    Ok(vec![
        sample("deliveries", PerCpuSecond, measured.per_cpu_second()),
        sample("latency p50", Milliseconds, outcome.latency_ms(0.5)),
        sample("latency p99", Milliseconds, outcome.latency_ms(0.99)),
        sample("latency p99.9", Milliseconds, outcome.latency_ms(0.999)),
        sample("lost", Count, outcome.lost() as f64),
    ])
}

pub fn one_watcher(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    let mut session = Session::open(bench, system, Setup::rooms(1), 1)?;
    let measured = session.measure(Pace {
        warm_up: Duration::from_secs(1),
        ..Pace::new(ONE_WATCHER_RATE, bench.duration)
    })?;
    let outcome = &measured.outcome;
    Ok(vec![
        sample("latency p50", Milliseconds, outcome.latency_ms(0.5)),
        sample("latency p99", Milliseconds, outcome.latency_ms(0.99)),
    ])
}

pub fn slow(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    let without = beside_stalled(bench, system, false)?;
    let with = beside_stalled(bench, system, true)?;
    let p99 = |measured: &Measurement| measured.outcome.latency_ms(0.99);
    let (rate_without, rate_with) = (without.per_cpu_second(), with.per_cpu_second());
    Ok(vec![
        sample("deliveries without it", PerCpuSecond, rate_without),
        sample("deliveries with it", PerCpuSecond, rate_with),
        sample("latency p99 without it", Milliseconds, p99(&without)),
        sample("latency p99 with it", Milliseconds, p99(&with)),
        sample("lost to others", Count, with.outcome.lost() as f64),
    ])
}

fn beside_stalled(bench: &Bench, system: System, is_there: bool) -> Result<Measurement> {
    let readers = bench.watchers - 1;
    let mut session = Session::open(bench, system, Setup::rooms(1), readers)?;
    if is_there {
        let Session { instance, load } = &mut session;
        load.open(
            instance.address,
            &[0],
            |room| instance.script(room),
            STALLED,
        )?;
    }
    session.load.set_senders(readers);
    session.measure(Pace {
        warm_up: bench.duration.mul_f64(0.3).min(Duration::from_secs(3)),
        ..Pace::new(SLOW_RATE, bench.duration)
    })
}
