//! What Tonesa's figures must reach.

use super::{Results, median};
use crate::scenarios::{Scenario, name};
use crate::systems::System;

use Bound::{AtLeast, AtMost};
use Divisor::{Figure, One, Same};
use Scenario::{
    CrossNode, Latency, Light, Memory, Page, Posts, Reconnect, Rooms, Saturation, Slow, Upload,
};
use System::{Bare, Broadcast, Bun, Centrifuge, SocketIo, Tonesa};

pub struct Goal(Scenario, &'static str, Divisor, Bound);

/// What Tonesa's figure is divided by, run by run.
enum Divisor {
    One,
    /// The same figure of another system.
    Same(System),
    /// Another figure of Tonesa.
    Figure(Scenario, &'static str),
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A goal beside what was measured.
pub struct Measured {
    pub figure: String,
    pub bound: String,
    pub values: Vec<f64>,
    /// Whether the median is good enough.
    pub is_reached: bool,
}

const FAN_OUT_OF_POSTS: &str = "20 posts/s: deliveries without the posts' own time";

pub const GOALS: [Goal; 32] = [
    Goal(Saturation, "deliveries", Same(Bare), AtLeast(0.6)),
    Goal(Saturation, "deliveries", Same(Bun), AtLeast(1.2)),
    Goal(Saturation, "deliveries", Same(Centrifuge), AtLeast(10.0)),
    Goal(Saturation, "deliveries", Same(Broadcast), AtLeast(25.0)),
    Goal(Saturation, "deliveries", Same(SocketIo), AtLeast(50.0)),
    Goal(Light, "deliveries", Same(Bare), AtLeast(0.8)),
    Goal(Light, "deliveries", Same(Bun), AtLeast(1.0)),
    Goal(Light, "deliveries", Same(Broadcast), AtLeast(1.0)),
    Goal(Light, "deliveries", Same(SocketIo), AtLeast(1.0)),
    Goal(Light, "deliveries", Same(Centrifuge), AtLeast(1.0)),
    Goal(Light, "latency p50", Same(Bare), AtMost(1.2)),
    Goal(Light, "latency p99", Same(Bare), AtMost(1.2)),
    Goal(Light, "latency p99.9", Same(Bare), AtMost(1.2)),
    Goal(
        Rooms,
        "deliveries",
        Figure(Saturation, "deliveries"),
        AtLeast(0.5),
    ),
    Goal(
        Posts,
        FAN_OUT_OF_POSTS,
        Figure(Light, "deliveries"),
        AtLeast(0.9),
    ),
    Goal(
        Posts,
        "saturation: deliveries",
        Figure(Saturation, "deliveries"),
        AtLeast(0.9),
    ),
    Goal(
        Slow,
        "deliveries with it",
        Figure(Slow, "deliveries without it"),
        AtLeast(0.9),
    ),
    Goal(
        Slow,
        "latency p99 with it",
        Figure(Slow, "latency p99 without it"),
        AtMost(1.1),
    ),
    Goal(Latency, "latency p50", One, AtMost(0.3)),
    Goal(Latency, "latency p99", One, AtMost(2.0)),
    Goal(Memory, "of 5,000, each", One, AtMost(4.0)),
    Goal(Memory, "of 10,000, each", One, AtMost(4.0)),
    Goal(Memory, "of 5,000, each", Same(Bun), AtMost(1.0)),
    Goal(Memory, "of 10,000, each", Same(Bun), AtMost(1.0)),
    Goal(Reconnect, "all are back after", One, AtMost(10_000.0)),
    // A thousandth of one for each client.
    Goal(Reconnect, "reads of the store", One, AtMost(10.0)),
    Goal(CrossNode, "added at p50", One, AtMost(2.0)),
    Goal(
        CrossNode,
        "read from Redis, of one image",
        One,
        AtLeast(500_000.0),
    ),
    Goal(Page, "page / file", One, AtLeast(0.5)),
    Goal(Page, "page / file, gzip", One, AtLeast(0.5)),
    Goal(Page, "64 pages / file, gzip", One, AtLeast(0.5)),
    Goal(Upload, "upload / decode", One, AtMost(1.3)),
];

impl Goal {
    /// What was measured, if everything was that the goal is about.
    pub fn measure(&self, results: &Results) -> Option<Measured> {
        let Self(scenario, figure, divisor, bound) = self;
        let own = results.values(*scenario, figure, Tonesa)?;
        let title = format!("{}: {figure}", name(scenario));
        let (divisors, figure) = match divisor {
            One => (None, title),
            Same(system) => (
                Some(results.values(*scenario, figure, *system)?),
                format!("{title}, of {}'s", name(system)),
            ),
            Figure(other, figure) => (
                Some(results.values(*other, figure, Tonesa)?),
                format!("{title}, of {}: {figure}", name(other)),
            ),
        };
        let values = match divisors {
            None => own.to_vec(),
            Some(divisors) => own.iter().zip(divisors).map(|(own, by)| own / by).collect(),
        };
        let median = median(&values);
        let (bound, is_reached) = match bound {
            AtLeast(least) => (format!("at least {least}"), median >= *least),
            AtMost(most) => (format!("at most {most}"), median <= *most),
        };
        Some(Measured {
            figure,
            bound,
            values,
            is_reached,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::{Sample, Unit};

    #[test]
    fn figures_are_compared_run_by_run() {
        let mut results = Results::default();
        // The machine was slower in the second run, for both.
        for (system, values) in [(Bare, [100.0, 50.0, 110.0]), (Tonesa, [90.0, 45.0, 77.0])] {
            for value in values {
                let (figure, unit) = ("deliveries", Unit::PerCpuSecond);
                let sample = Sample {
                    figure,
                    unit,
                    value,
                };
                results.add(Light, system, &[sample]);
            }
        }
        let measured: Vec<_> = GOALS
            .iter()
            .filter_map(|goal| goal.measure(&results))
            .collect();
        assert_eq!(measured.len(), 1);
        assert!((median(&measured[0].values) - 0.9).abs() < 1e-9);
        assert!(measured[0].is_reached);
    }
}
