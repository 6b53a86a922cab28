//! What Tonesa's figures must reach.

use super::markdown::median_and_range;
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

const POSTS_FAN_OUT: &str = "20 posts/s: deliveries without the posts' own time";
const OF_LIGHT: Divisor = Figure(Light, "deliveries");
const OF_SATURATION: Divisor = Figure(Saturation, "deliveries");
const WITHOUT_STALLED: Divisor = Figure(Slow, "deliveries without it");
const P99_WITHOUT_STALLED: Divisor = Figure(Slow, "latency p99 without it");
const ONE_IMAGE: &str = "read from Redis, of one image";

pub const GOALS: [Goal; 33] = [
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
    Goal(Rooms, "deliveries", OF_SATURATION, AtLeast(0.5)),
    Goal(Posts, POSTS_FAN_OUT, OF_LIGHT, AtLeast(0.9)),
    Goal(Posts, "saturation: deliveries", OF_SATURATION, AtLeast(0.5)),
    Goal(Posts, "saturation: deliveries", Same(Bare), AtLeast(0.5)),
    Goal(Slow, "deliveries with it", WITHOUT_STALLED, AtLeast(0.9)),
    Goal(
        Slow,
        "latency p99 with it",
        P99_WITHOUT_STALLED,
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
    Goal(CrossNode, ONE_IMAGE, One, AtLeast(500_000.0)),
    Goal(Page, "page / file", One, AtLeast(0.5)),
    Goal(Page, "page / file, gzip", One, AtLeast(0.5)),
    Goal(Page, "64 pages / file, gzip", One, AtLeast(0.5)),
    Goal(Upload, "upload / decode", One, AtMost(1.3)),
];

impl Goal {
    /// Tonesa's figure, the goal, what was measured and whether that reaches it; none if something was not measured.
    pub fn row(&self, results: &Results) -> Option<[String; 4]> {
        let Self(scenario, figure, divisor, bound) = self;
        let mut values = results.values(*scenario, figure, Tonesa)?.to_vec();
        let mut title = format!("{}: {figure}", name(scenario));
        let divisors = match divisor {
            One => None,
            Same(system) => {
                title = format!("{title}, of {}'s", name(system));
                Some(results.values(*scenario, figure, *system)?)
            }
            Figure(other, figure) => {
                title = format!("{title}, of {}: {figure}", name(other));
                Some(results.values(*other, figure, Tonesa)?)
            }
        };
        if let Some(divisors) = divisors {
            let pairs = values.iter().zip(divisors);
            values = pairs.map(|(own, divisor)| own / divisor).collect();
        }
        let median = median(&values);
        let (bound, is_reached) = match bound {
            AtLeast(least) => (format!("at least {least}"), median >= *least),
            AtMost(most) => (format!("at most {most}"), median <= *most),
        };
        let reached = if is_reached { "reached" } else { "**missed**" };
        Some([title, bound, median_and_range(&values), reached.to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::{Unit, sample};

    #[test]
    fn figures_are_compared_run_by_run() {
        let mut results = Results::default();
        // The machine was slower in the second run, for both.
        for (system, values) in [(Bare, [100.0, 50.0, 110.0]), (Tonesa, [90.0, 45.0, 77.0])] {
            for value in values {
                let sample = sample("deliveries", Unit::PerCpuSecond, value);
                results.add(Light, system, &[sample]);
            }
        }
        let rows: Vec<_> = GOALS.iter().filter_map(|goal| goal.row(&results)).collect();
        let expected = [
            "light: deliveries, of bare's",
            "at least 0.8",
            "0.90 (0.70 to 0.90)",
            "reached",
        ];
        assert_eq!(rows, [expected.map(str::to_owned)]);
    }
}
