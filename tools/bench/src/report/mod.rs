//! The figures as Markdown: tables, charts and goals.

mod goals;
mod markdown;

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::scenarios::{Sample, Scenario, Unit, title};
use crate::systems::System;

/// All figures, in the order in which they were first taken, and what could not be measured.
#[derive(Debug, Default)]
pub struct Results {
    figures: Vec<Figure>,
    failures: Vec<(Scenario, System, String)>,
}

/// One figure of one system.
#[derive(Debug)]
struct Figure {
    scenario: Scenario,
    name: &'static str,
    unit: Unit,
    system: System,
    /// Of each run, in their order.
    values: Vec<f64>,
}

impl Figure {
    fn is(&self, scenario: Scenario, name: &str, system: System) -> bool {
        (self.scenario, self.name, self.system) == (scenario, name, system)
    }
}

impl Results {
    /// Adds the samples of one run of a scenario.
    pub fn add(&mut self, scenario: Scenario, system: System, samples: &[Sample]) {
        for sample in samples {
            let mut figures = self.figures.iter_mut();
            match figures.find(|figure| figure.is(scenario, sample.figure, system)) {
                Some(figure) => figure.values.push(sample.value),
                None => self.figures.push(Figure {
                    scenario,
                    name: sample.figure,
                    unit: sample.unit,
                    system,
                    values: vec![sample.value],
                }),
            }
        }
    }

    /// Prints and notes that a scenario failed.
    pub fn fail(&mut self, scenario: Scenario, system: System, error: &anyhow::Error) {
        eprintln!("bench: {}: {error:#}", title(&system));
        let mut failures = self.failures.iter();
        if !failures.any(|other| (other.0, other.1) == (scenario, system)) {
            self.failures.push((scenario, system, format!("{error:#}")));
        }
    }

    fn values(&self, scenario: Scenario, name: &str, system: System) -> Option<&[f64]> {
        let mut figures = self.figures.iter();
        let figure = figures.find(|figure| figure.is(scenario, name, system))?;
        Some(&figure.values)
    }

    /// Writes `results.md`, and prints it.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let text = markdown::write(self);
        fs::write(folder.join("results.md"), &text)?;
        println!("{text}");
        Ok(())
    }
}

/// The lowest and the highest value.
pub fn range(values: &[f64]) -> (f64, f64) {
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    values.iter().fold(start, |(lowest, highest), value| {
        (value.min(lowest), value.max(highest))
    })
}

/// The middle value; between two of them, their mean.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_does_not_depend_on_one_value_far_off() {
        assert!((median(&[3.0, 1_000.0, 2.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(&[1.0, 2.0, 3.0, 1_000.0]) - 2.5).abs() < f64::EPSILON);
    }
}
