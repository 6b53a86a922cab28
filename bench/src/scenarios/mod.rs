//! What is measured. Each scenario takes its figures once, of one system; the same scenario then takes its turn with the
//! next system, so that what slows the machine for a while slows them all.

mod light;
mod memory;
mod saturation;
mod scene;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

use crate::systems::{Ground, System};

/// A scenario's name on the command line and in results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// 1,000 watchers of one image, 20 touches a second
    Light,
    /// 1,000 watchers of one image, as many touches as go through
    Saturation,
    /// Memory of idle watchers
    Memory,
}

/// One figure, taken once.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// What was measured.
    pub figure: &'static str,
    /// In what it is told.
    pub unit: Unit,
    /// How much of it.
    pub value: f64,
}

/// What a figure is told in, and which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Deliveries for each second of the system's processor time; more is better.
    PerCpuSecond,
    /// Things a second; more is better.
    PerSecond,
    /// Milliseconds; less is better.
    Milliseconds,
    /// KiB; less is better.
    Kibibytes,
    /// A number of things that should not be; less is better.
    Count,
}

/// What every scenario needs.
pub struct Bench {
    /// Where programs are and where they run.
    pub ground: Ground,
    /// How long something is measured.
    pub duration: Duration,
    /// How many sockets watch.
    pub watchers: usize,
    /// The rate that a search found the last time, by scenario and system.
    pub found: Mutex<HashMap<(&'static str, &'static str), f64>>,
}

impl Bench {
    /// Tells the person at the keyboard how it goes.
    pub fn tell(&self, what: &str) {
        eprintln!("bench: {what}");
    }
}

impl Scenario {
    /// All of them.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its name.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What a reader calls it.
    pub fn title(self) -> String {
        let value = self.to_possible_value();
        let help = value.and_then(|value| value.get_help().map(ToString::to_string));
        help.unwrap_or_default()
    }

    /// Takes its figures of a system, once.
    ///
    /// # Errors
    /// When the system does not start, or ends.
    pub fn once(self, bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
        match self {
            Self::Light => light::once(bench, system),
            Self::Saturation => saturation::once(bench, system),
            Self::Memory => memory::once(bench, system),
        }
    }
}

fn sample(figure: &'static str, unit: Unit, value: f64) -> Sample {
    Sample {
        figure,
        unit,
        value,
    }
}
