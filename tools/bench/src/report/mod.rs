//! What was measured, as JSON, as a table and as a picture.

mod goals;
mod markdown;
mod picture;

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
    pub name: &'static str,
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
                    && figure.name == sample.figure
                    && figure.system == system.name()
            });
            let place = place.unwrap_or_else(|| {
                self.figures.push(Figure {
                    scenario: name,
                    title: scenario.title(),
                    name: sample.figure,
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

    fn values(&self, (scenario, name, system): (&str, &str, &str)) -> Option<&[f64]> {
        let is_it = |figure: &&Figure| {
            figure.scenario == scenario && figure.name == name && figure.system == system
        };
        let found = self.figures.iter().find(is_it)?;
        Some(&found.values)
    }

    /// Writes `results.json`, `results.md` and `fan-out.svg`, and prints the tables.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let goals = goals::judge(self);
        let json = serde_json::json!({ "results": self, "goals": goals });
        fs::write(
            folder.join("results.json"),
            serde_json::to_vec_pretty(&json)?,
        )?;
        if let Some(picture) = picture::of(self) {
            fs::write(folder.join("fan-out.svg"), picture)?;
        }
        let table = markdown::of(self, &goals);
        fs::write(folder.join("results.md"), &table)?;
        println!("{table}");
        Ok(())
    }
}

/// The least and the greatest value.
pub fn range(values: &[f64]) -> (f64, f64) {
    let outwards = |(least, most): (f64, f64), value: &f64| (value.min(least), value.max(most));
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), outwards)
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
