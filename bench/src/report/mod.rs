//! What was measured, as JSON, as a table and as a picture.

mod markdown;

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::scenarios::{Sample, Scenario, Unit};
use crate::systems::System;

/// All figures of one run of the bench.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    /// In the order in which they were first taken.
    pub figures: Vec<Figure>,
    /// What could not be measured.
    pub failures: Vec<Failure>,
}

/// One figure of one system.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// The scenario's name.
    pub scenario: String,
    /// What a reader calls the scenario.
    pub title: String,
    /// What was measured.
    pub figure: &'static str,
    /// In what it is told.
    pub unit: Unit,
    /// The system's name.
    pub system: &'static str,
    /// Each run's value, in their order.
    pub values: Vec<f64>,
    /// The middle one of the values.
    pub median: f64,
}

/// Something that could not be measured.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// The scenario's name.
    pub scenario: String,
    /// The system's name.
    pub system: &'static str,
    /// Why.
    pub because: String,
}

impl Results {
    /// Adds what one run of a scenario brought.
    pub fn add(&mut self, scenario: Scenario, system: &dyn System, samples: &[Sample]) {
        for sample in samples {
            let name = scenario.name();
            let place = self.figures.iter().position(|figure| {
                figure.scenario == name
                    && figure.figure == sample.figure
                    && figure.system == system.name()
            });
            let place = place.unwrap_or_else(|| {
                self.figures.push(Figure {
                    scenario: name,
                    title: scenario.title(),
                    figure: sample.figure,
                    unit: sample.unit,
                    system: system.name(),
                    values: Vec::new(),
                    median: 0.0,
                });
                self.figures.len() - 1
            });
            let figure = &mut self.figures[place];
            figure.values.push(sample.value);
            figure.median = median(&figure.values);
        }
    }

    /// Notes what could not be measured, and tells it.
    pub fn fail(&mut self, scenario: Scenario, system: &dyn System, error: &anyhow::Error) {
        let failure = Failure {
            scenario: scenario.name(),
            system: system.name(),
            because: format!("{error:#}"),
        };
        eprintln!("bench: {}: {}", system.title(), failure.because);
        let is_same =
            |other: &Failure| other.scenario == failure.scenario && other.system == failure.system;
        if !self.failures.iter().any(is_same) {
            self.failures.push(failure);
        }
    }

    /// Writes `results.json` and `results.md`, and prints the latter.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(
            folder.join("results.json"),
            serde_json::to_vec_pretty(self)?,
        )?;
        let table = markdown::of(self);
        fs::write(folder.join("results.md"), &table)?;
        println!("{table}");
        Ok(())
    }
}

impl Figure {
    /// The least and the greatest value.
    pub fn range(&self) -> (f64, f64) {
        let values = self.values.iter();
        values.fold((f64::INFINITY, 0.0), |(least, most), value| {
            (value.min(least), value.max(most))
        })
    }
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
    fn the_median_does_not_mind_one_value_far_off() {
        assert!((median(&[3.0, 1_000.0, 2.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(&[1.0, 2.0, 3.0, 1_000.0]) - 2.5).abs() < f64::EPSILON);
    }
}
