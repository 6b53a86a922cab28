//! A system with its watchers.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use crate::load::{Load, Outcome, Pace};
use crate::systems::{Instance, System, Wants};
use crate::usage;

/// Sockets that are being opened at once: below what a listening socket keeps waiting.
const AT_ONCE: usize = 100;
/// Between the last socket's opening and a measurement.
const SETTLE: Duration = Duration::from_millis(300);

/// A running system and its watchers.
pub struct Scene {
    /// The system.
    pub instance: Instance,
    /// Its watchers.
    pub load: Load,
}

/// What a run brought, and what it took.
pub struct Measured {
    /// What arrived, and when.
    pub outcome: Outcome,
    /// The system's processor time.
    pub processor: Duration,
}

impl Scene {
    /// Starts a system with so many rooms, and has so many watchers in each.
    ///
    /// # Errors
    /// When it does not start, or refuses watchers.
    pub fn open(
        bench: &Bench,
        system: &dyn System,
        wants: Wants<'_>,
        watchers: usize,
    ) -> Result<Self> {
        let instance = system.start(&bench.ground, wants)?;
        let mut load = Load::new()?;
        let rooms: Vec<_> = (0..watchers).flat_map(|_| 0..wants.rooms).collect();
        let script = |room| instance.script(room);
        load.open(instance.address, &rooms, script, AT_ONCE)?;
        load.idle(SETTLE)?;
        Ok(Self { instance, load })
    }

    /// Sends events, and takes the system's processor time from before the first one to after the last delivery.
    ///
    /// # Errors
    /// When the system has ended.
    pub fn measure(&mut self, pace: Pace) -> Result<Measured> {
        let process = self.instance.process()?;
        let before = usage::processor_time(process)?;
        let instance = &self.instance;
        let outcome = self
            .load
            .run(pace, |room, stamp| instance.event(room, stamp))?;
        let after = usage::processor_time(process)?;
        Ok(Measured {
            outcome,
            processor: after.saturating_sub(before),
        })
    }
}

impl Measured {
    /// Deliveries for each second of the system's processor time.
    pub fn per_processor_second(&self) -> f64 {
        self.outcome.received as f64 / self.processor.as_secs_f64().max(0.001)
    }
}
