//! Whether the node holds at the end what it held early.

use std::fmt::Write;
use std::time::Duration;

use crate::sample::{MIB, ROWS, Row, Sample};

/// After so long a node is warm; a shorter run takes its middle.
const WARM: Duration = Duration::from_mins(10);
/// The longest time over which values are compared; a shorter run takes a quarter of itself.
const WINDOW: Duration = Duration::from_mins(5);
/// How much more there may be at the end: a tenth, and what varies by itself.
const GROWTH: f64 = 1.1;
const MEMORY_NOISE: f64 = 8.0 * MIB;
const DESCRIPTOR_NOISE: f64 = 20.0;
/// So many of the people have to have a socket: otherwise the run has tested nothing.
const CONNECTED: f64 = 0.8;

/// The samples of a run of this length, with people in it.
pub struct Course<'a> {
    pub samples: &'a [Sample],
    pub length: Duration,
}

impl Course<'_> {
    /// What is wrong with it, as sentences.
    pub fn problems(&self, people: u32) -> Vec<String> {
        let (warm, end) = (self.warm(), self.length);
        let mut problems = Vec::new();
        let mut compare = |what, value: fn(&Sample) -> f64, noise, unit, unit_name| {
            let (early, late) = (self.median(warm, value), self.median(end, value));
            if late > early * GROWTH + noise {
                let (early, late) = (early / unit, late / unit);
                problems.push(format!(
                    "{what} grew from {early:.0} to {late:.0}{unit_name}"
                ));
            }
        };
        compare("memory", |it| it.memory, MEMORY_NOISE, MIB, " MiB");
        compare(
            "open descriptors",
            |it| it.descriptors,
            DESCRIPTOR_NOISE,
            1.0,
            "",
        );
        let sockets = self.median(end, |it| it.sockets);
        if sockets < f64::from(people) * CONNECTED {
            problems.push(format!(
                "only {sockets:.0} of {people} people have a socket"
            ));
        }
        problems
    }

    /// The medians before three moments, and what was left when all had gone.
    pub fn table(&self, idle: &Sample, left: &Sample) -> String {
        let warm = format!("{:.1} min", self.warm().as_secs_f64() / 60.0);
        let cell = |text: String| format!("{text:>10}");
        let columns = ["idle", &warm, "half", "end", "all left"].map(|it| cell(it.to_owned()));
        let mut table = format!("{:<22}{}", "median before", columns.concat());
        for (name, value) in ROWS {
            let [warm, half, end] =
                [self.warm(), self.length / 2, self.length].map(|end| self.median(end, value));
            let values = [value(idle), warm, half, end, value(left)];
            let cells = values.map(|value| cell(format!("{value:.1}")));
            let _ = write!(table, "\n{name:<22}{}", cells.concat());
        }
        table
    }

    /// The descriptors that a node may have when all have left, by what it had before they came.
    pub fn idle_descriptors(idle: &Sample) -> f64 {
        idle.descriptors * GROWTH + DESCRIPTOR_NOISE
    }

    fn warm(&self) -> Duration {
        WARM.min(self.length / 2)
    }

    /// The median in the window that ends there.
    fn median(&self, end: Duration, value: fn(&Sample) -> f64) -> f64 {
        let start = end.saturating_sub(WINDOW.min(self.length / 4));
        let samples = self.samples.iter();
        let samples = samples.filter(|sample| sample.at > start && sample.at <= end);
        let mut values: Vec<f64> = samples.map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// One line of what a sample has.
pub fn line(sample: &Sample) -> String {
    let minutes = sample.at.as_secs_f64() / 60.0;
    let values = ROWS
        .iter()
        .map(|(name, value): &Row| format!("{name} {:.0}", value(sample)));
    format!(
        "{minutes:>5.1} min: {}",
        values.collect::<Vec<_>>().join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems of an hour, with so much more memory and so many more descriptors each minute.
    fn problems(memory: f64, descriptors: f64, sockets: f64) -> Vec<String> {
        let sample = |minute| Sample {
            at: Duration::from_mins(minute),
            memory: (100.0 + memory * f64::from(u32::try_from(minute).unwrap())) * MIB,
            descriptors: 1000.0 + descriptors * f64::from(u32::try_from(minute).unwrap()),
            sockets,
            ..Sample::default()
        };
        let samples: Vec<_> = (1..=60).map(sample).collect();
        let length = Duration::from_hours(1);
        Course {
            samples: &samples,
            length,
        }
        .problems(1000)
    }

    #[test]
    fn what_grows_is_a_problem() {
        assert_eq!(problems(0.3, 2.0, 900.0), [""; 0]);
        assert_eq!(
            problems(0.5, 0.0, 900.0),
            ["memory grew from 104 to 129 MiB"]
        );
        assert_eq!(
            problems(0.0, 4.0, 900.0),
            ["open descriptors grew from 1032 to 1232"]
        );
    }

    #[test]
    fn nobody_there_is_a_problem() {
        assert_eq!(
            problems(0.0, 0.0, 799.0),
            ["only 799 of 1000 people have a socket"]
        );
    }
}
