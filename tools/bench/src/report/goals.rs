//! What the figures must reach, and whether they do.

use serde::Serialize;

use super::{Results, median};

/// A figure: of a scenario, of a system.
type Place = (&'static str, &'static str, &'static str);

/// What Tonesa must reach.
struct Goal {
    figure: Place,
    /// What the figure is divided by, run by run.
    beside: Option<Place>,
    bound: Bound,
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}
use Bound::{AtLeast, AtMost};

/// A goal beside what was measured.
#[derive(Debug, Serialize)]
pub struct Judged {
    /// The figure, and what it is compared with.
    pub what: String,
    /// What it must be.
    pub goal: String,
    /// What it is, in the middle of all runs.
    pub median: f64,
    /// The least and the most of all runs.
    pub range: (f64, f64),
    /// Is the middle good enough?
    pub is_reached: bool,
}

const LIGHT: Place = ("light", "deliveries", "tonesa");
const SATURATION: Place = ("saturation", "deliveries", "tonesa");

/// All of them.
fn goals() -> Vec<Goal> {
    let mut goals = vec![
        beside(SATURATION, of(SATURATION, "floor"), AtLeast(0.6)),
        beside(SATURATION, of(SATURATION, "bun"), AtLeast(1.2)),
        beside(SATURATION, of(SATURATION, "centrifuge"), AtLeast(10.0)),
        beside(SATURATION, of(SATURATION, "broadcast"), AtLeast(25.0)),
        beside(SATURATION, of(SATURATION, "socketio"), AtLeast(50.0)),
        beside(LIGHT, of(LIGHT, "floor"), AtLeast(0.8)),
    ];
    for peer in ["bun", "broadcast", "socketio", "centrifuge"] {
        goals.push(beside(LIGHT, of(LIGHT, peer), AtLeast(1.0)));
    }
    for figure in ["latency p50", "latency p99", "latency p99.9"] {
        let latency = ("light", figure, "tonesa");
        goals.push(beside(latency, of(latency, "floor"), AtMost(1.2)));
    }
    goals.extend(of_many_rooms_and_posts());
    goals.extend(of_single_watchers());
    goals.extend(of_nodes());
    goals
}

fn of_many_rooms_and_posts() -> [Goal; 5] {
    let rooms = ("rooms", "deliveries", "tonesa");
    let fan_out = (
        "posts",
        "… without what the same posts take with one watcher",
        "tonesa",
    );
    let posts = ("posts", "saturation: deliveries", "tonesa");
    let with = ("slow", "deliveries with it", "tonesa");
    let without = ("slow", "deliveries without it", "tonesa");
    let p99_with = ("slow", "latency p99 with it", "tonesa");
    let p99_without = ("slow", "latency p99 without it", "tonesa");
    [
        beside(rooms, SATURATION, AtLeast(0.5)),
        beside(fan_out, LIGHT, AtLeast(0.9)),
        beside(posts, SATURATION, AtLeast(0.9)),
        beside(with, without, AtLeast(0.9)),
        beside(p99_with, p99_without, AtMost(1.1)),
    ]
}

fn of_single_watchers() -> [Goal; 8] {
    let five = ("memory", "of 5,000, each", "tonesa");
    let ten = ("memory", "of 10,000, each", "tonesa");
    [
        alone(("latency", "latency p50", "tonesa"), AtMost(0.3)),
        alone(("latency", "latency p99", "tonesa"), AtMost(2.0)),
        alone(five, AtMost(4.0)),
        alone(ten, AtMost(4.0)),
        beside(five, of(five, "bun"), AtMost(1.0)),
        beside(ten, of(ten, "bun"), AtMost(1.0)),
        alone(
            ("reconnect", "all are back after", "tonesa"),
            AtMost(10_000.0),
        ),
        // Not one for each client: a thousandth of that.
        alone(("reconnect", "reads of the store", "tonesa"), AtMost(10.0)),
    ]
}

fn of_nodes() -> [Goal; 6] {
    // Of ten images a good part of the time goes to writing.
    let read = ("cross-node", "read from Redis, of one image", "tonesa");
    [
        alone(("cross-node", "added at p50", "tonesa"), AtMost(2.0)),
        alone(read, AtLeast(500_000.0)),
        alone(("page", "page / file", "tonesa"), AtLeast(0.5)),
        alone(("page", "page / file, gzip", "tonesa"), AtLeast(0.5)),
        alone(("page", "64 pages / file, gzip", "tonesa"), AtLeast(0.5)),
        alone(("upload", "upload / decode", "tonesa"), AtMost(1.3)),
    ]
}

fn alone(figure: Place, bound: Bound) -> Goal {
    Goal {
        figure,
        beside: None,
        bound,
    }
}

fn beside(figure: Place, other: Place, bound: Bound) -> Goal {
    Goal {
        figure,
        beside: Some(other),
        bound,
    }
}

fn of((scenario, figure, _): Place, system: &'static str) -> Place {
    (scenario, figure, system)
}

/// Those of which everything was measured.
pub fn judge(results: &Results) -> Vec<Judged> {
    goals()
        .iter()
        .filter_map(|goal| goal.judge(results))
        .collect()
}

impl Goal {
    fn judge(&self, results: &Results) -> Option<Judged> {
        let mut values = results.values(self.figure)?.to_vec();
        if let Some(other) = self.beside {
            let others = results.values(other)?;
            values = values
                .iter()
                .zip(others)
                .map(|(value, other)| value / other)
                .collect();
        }
        let median = median(&values);
        let (goal, is_reached) = match self.bound {
            AtLeast(least) => (format!("at least {least}"), median >= least),
            AtMost(most) => (format!("at most {most}"), median <= most),
        };
        Some(Judged {
            what: self.words(),
            goal,
            median,
            range: super::range(&values),
            is_reached,
        })
    }

    fn words(&self) -> String {
        let (scenario, figure, _) = self.figure;
        let own = format!("{scenario}: {figure}");
        match self.beside {
            None => own,
            Some((_, _, system)) if system != "tonesa" => format!("{own}, of {system}'s"),
            Some((other, figure, _)) => format!("{own}, of {other}: {figure}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Figure;
    use crate::scenarios::Unit;

    #[test]
    fn figures_are_compared_run_by_run() {
        let figure = |system, values: [f64; 3]| Figure {
            scenario: "light".to_owned(),
            title: String::new(),
            name: "deliveries",
            unit: Unit::PerCpuSecond,
            system,
            values: values.to_vec(),
            median: median(&values),
        };
        // The machine was slower in the second run, for both.
        let results = Results {
            figures: vec![
                figure("floor", [100.0, 50.0, 110.0]),
                figure("tonesa", [90.0, 45.0, 77.0]),
            ],
            ..Results::default()
        };
        let judged = judge(&results);
        assert_eq!(judged.len(), 1);
        assert!((judged[0].median - 0.9).abs() < 1e-9);
        assert!((judged[0].range.0 - 0.7).abs() < 1e-9);
        assert!(judged[0].is_reached);
    }
}
