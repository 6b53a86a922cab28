//! Saturation: the highest rate at which nothing is lost and hardly anything is late.

use std::time::Duration;

use anyhow::Result;

use super::scene::{Measured, Scene};
use super::{Bench, Sample, Unit, sample, tell};
use crate::load::Pace;
use crate::systems::{System, Wants};

/// What one in a hundred deliveries may take, in milliseconds.
const LATE: f64 = 50.0;
/// A first guess, in deliveries a second, for a system of which nothing is known yet.
const GUESS: f64 = 100_000.0;
/// Less than this is nothing.
const LEAST: f64 = 1_000.0;
/// By how much the first steps differ, until one rate is kept and one is not; then the step between them is halved until
/// it is fine.
const COARSE: f64 = 2.0;
/// The same when the last search's rate is known.
const NEAR: f64 = 1.15;
const FINE: f64 = 1.05;
/// A rate counts as too high when it was not kept this many times: the machine may have been busy with something else.
const TRIES: usize = 2;

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    let wants = Wants::rooms(1).together();
    let best = Search::new(bench, system, wants, bench.watchers).run("saturation")?;
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

/// A rate that a system keeps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kept {
    /// Deliveries a second.
    pub rate: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Deliveries for each second of the system's processor time.
    pub per_processor_second: f64,
}

/// Looks for the highest rate that a system keeps.
pub struct Search<'a> {
    bench: &'a Bench,
    system: &'a dyn System,
    wants: Wants<'a>,
    /// Watchers of each room.
    watchers: usize,
    posts: Option<usize>,
    scene: Option<Scene>,
}

impl<'a> Search<'a> {
    pub fn new(
        bench: &'a Bench,
        system: &'a dyn System,
        wants: Wants<'a>,
        watchers: usize,
    ) -> Self {
        Self {
            bench,
            system,
            wants,
            watchers,
            posts: None,
            scene: None,
        }
    }

    /// Events go over HTTP, on so many connections.
    pub fn by_posts(self, connections: usize) -> Self {
        Self {
            posts: Some(connections),
            ..self
        }
    }

    /// Starts where the last search of this name ended.
    pub fn run(mut self, name: &'static str) -> Result<Kept> {
        let key = (name, self.system.name());
        let known = self
            .bench
            .found
            .lock()
            .ok()
            .and_then(|found| found.get(&key).copied());
        let step = if known.is_some() { NEAR } else { COARSE };
        let mut best = Kept::default();
        let (mut low, mut high) = (None::<f64>, None::<f64>);
        loop {
            let rate = match (low, high) {
                (None, None) => known.unwrap_or(GUESS),
                (Some(low), None) => low * step,
                (None, Some(high)) => high / step,
                (Some(low), Some(high)) if high / low < FINE => break,
                (Some(low), Some(high)) => (low * high).sqrt(),
            };
            if rate < LEAST {
                break;
            }
            if let Some(kept) = self.keeps(rate)? {
                best = kept;
                low = Some(rate);
            } else {
                high = Some(rate);
            }
        }
        if let Ok(mut found) = self.bench.found.lock() {
            found.insert(key, best.rate);
        }
        Ok(best)
    }

    fn keeps(&mut self, rate: f64) -> Result<Option<Kept>> {
        for _ in 0..TRIES {
            let measured = self.attempt(rate)?;
            let outcome = &measured.outcome;
            let p99 = outcome.latency_ms(0.99);
            let is_kept = outcome.is_whole() && p99 <= LATE;
            tell(&format!(
                "{:>9.0}/s: lost {}, p99 {p99:.1} ms, load behind by at most {:.1} ms{}",
                rate,
                outcome.lost(),
                outcome.behind.as_secs_f64() * 1e3,
                if is_kept { "" } else { ": too much" },
            ));
            if is_kept {
                return Ok(Some(Kept {
                    rate: outcome.received as f64 / outcome.took.as_secs_f64(),
                    p99,
                    per_processor_second: measured.per_processor_second(),
                }));
            }
        }
        Ok(None)
    }

    fn attempt(&mut self, rate: f64) -> Result<Measured> {
        let mut scene = match self.scene.take() {
            Some(scene) => scene,
            None => self.open()?,
        };
        let duration = self.bench.duration.mul_f64(0.3).max(Duration::from_secs(1));
        let measured = scene.measure(Pace {
            rate: rate / self.watchers as f64,
            duration,
            warm_up: duration.mul_f64(0.25),
        })?;
        // What an overload leaves behind is no part of the next attempt.
        if measured.outcome.is_whole() && scene.load.is_quiet()? {
            self.scene = Some(scene);
        }
        Ok(measured)
    }

    fn open(&self) -> Result<Scene> {
        let mut scene = Scene::open(self.bench, self.system, self.wants, self.watchers)?;
        if let Some(connections) = self.posts {
            scene.by_posts(connections)?;
        }
        Ok(scene)
    }
}
