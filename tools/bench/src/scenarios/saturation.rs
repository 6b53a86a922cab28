//! Saturation: the highest rate at which nothing is lost and hardly anything is late.

use std::time::Duration;

use anyhow::Result;

use super::Unit::PerSecond;
use super::session::Session;
use super::{Bench, Sample, sample};
use crate::load::{Outcome, Pace};
use crate::systems::{Setup, System};

const ROOMS: usize = 2_000;
const WATCHERS_OF_ROOM: usize = 5;
/// The highest p99, in milliseconds.
const MOST_P99: f64 = 50.0;
/// The first rate, in deliveries a second, for a system that was not searched before.
const GUESS: f64 = 100_000.0;
/// Below this a search ends.
const LEAST: f64 = 1_000.0;
/// The factor between the first rates, until one is reached and one is not; then the factor between those two is halved
/// (its logarithm is) until it is fine.
const COARSE: f64 = 2.0;
/// The factor between the first rates when the last search's rate is known.
const NEAR: f64 = 1.15;
const FINE: f64 = 1.05;
/// A rate counts as too high after so many failures: the machine may have been busy with something else.
const TRIES: usize = 2;

pub fn one_room(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    let rate = Search::new(bench, system, Setup::merging(1), bench.watchers).run("saturation")?;
    Ok(vec![sample("deliveries", PerSecond, rate)])
}

pub fn many_rooms(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    let rate = Search::new(bench, system, Setup::merging(ROOMS), WATCHERS_OF_ROOM).run("rooms")?;
    Ok(vec![sample("deliveries", PerSecond, rate)])
}

pub struct Search<'a> {
    bench: &'a Bench,
    system: System,
    setup: Setup<'a>,
    /// Watchers of each room.
    watchers: usize,
    /// On how many connections events are posted, if they are.
    posts: Option<usize>,
    session: Option<Session>,
}

impl<'a> Search<'a> {
    pub fn new(bench: &'a Bench, system: System, setup: Setup<'a>, watchers: usize) -> Self {
        Self {
            bench,
            system,
            setup,
            watchers,
            posts: None,
            session: None,
        }
    }

    /// Events are posted over HTTP, on so many connections.
    pub fn by_posts(self, connections: usize) -> Self {
        Self {
            posts: Some(connections),
            ..self
        }
    }

    /// The highest rate, in deliveries a second. Starts where the last search of this name ended.
    pub fn run(mut self, name: &'static str) -> Result<f64> {
        let key = (name, self.system);
        let known = self.bench.found.borrow().get(&key).copied();
        let step = if known.is_some() { NEAR } else { COARSE };
        let mut best = 0.0;
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
            if let Some(reached) = self.reaches(rate)? {
                best = reached;
                low = Some(rate);
            } else {
                high = Some(rate);
            }
        }
        self.bench.found.borrow_mut().insert(key, best);
        Ok(best)
    }

    /// The measured rate, if a system keeps up with this one.
    fn reaches(&mut self, rate: f64) -> Result<Option<f64>> {
        for _ in 0..TRIES {
            let outcome = self.attempt(rate)?;
            let p99 = outcome.latency_ms(0.99);
            let is_reached = outcome.is_complete() && p99 <= MOST_P99;
            eprintln!(
                "bench: {rate:>9.0}/s: lost {}, p99 {p99:.1} ms, sent late by at most {:.1} ms{}",
                outcome.lost(),
                outcome.send_delay.as_secs_f64() * 1e3,
                if is_reached { "" } else { ": too much" },
            );
            if is_reached {
                return Ok(Some(outcome.received as f64 / outcome.took.as_secs_f64()));
            }
        }
        Ok(None)
    }

    fn attempt(&mut self, rate: f64) -> Result<Outcome> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.open()?,
        };
        let duration = self.bench.duration.mul_f64(0.3).max(Duration::from_secs(1));
        let measured = session.measure(Pace {
            rate: rate / self.watchers as f64,
            duration,
            warm_up: duration.mul_f64(0.25),
        })?;
        // What is left of an overload must not burden the next attempt.
        if measured.outcome.is_complete() && session.load.is_quiet()? {
            self.session = Some(session);
        }
        Ok(measured.outcome)
    }

    fn open(&self) -> Result<Session> {
        let mut session = Session::open(self.bench, self.system, self.setup, self.watchers)?;
        if let Some(connections) = self.posts {
            session.post_over(connections)?;
        }
        Ok(session)
    }
}
