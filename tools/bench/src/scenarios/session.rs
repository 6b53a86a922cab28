//! A system and its watchers.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Bench;
use crate::load::{GRADUALLY, Load, Outcome, Pace};
use crate::systems::{Instance, Setup, System};

/// Between the last socket's opening and a measurement.
const SETTLE: Duration = Duration::from_millis(300);

pub struct Session {
    pub instance: Instance,
    pub load: Load,
}

pub struct Measurement {
    pub outcome: Outcome,
    /// The system's processor time.
    pub processor: Duration,
}

impl Session {
    /// Starts a system and has so many watchers in each of its rooms.
    pub fn open(bench: &Bench, system: System, setup: Setup<'_>, watchers: usize) -> Result<Self> {
        let instance = system.start(bench, setup)?;
        let mut load = Load::new()?;
        let rooms: Vec<_> = (0..watchers).flat_map(|_| 0..setup.rooms).collect();
        let script = |room| instance.script(room);
        load.open(instance.address, &rooms, script, GRADUALLY)?;
        load.idle(SETTLE)?;
        Ok(Self { instance, load })
    }

    /// From now on events are posted over HTTP, on so many connections.
    pub fn post_over(&mut self, connections: usize) -> Result<()> {
        self.load
            .publish_by_http(self.instance.address, connections)
    }

    /// Sends events, and takes the system's processor time from before the first one to after the last delivery.
    pub fn measure(&mut self, pace: Pace) -> Result<Measurement> {
        let Instance {
            process, protocol, ..
        } = &self.instance;
        let before = process.processor_time()?;
        let event = if self.load.has_publishers() {
            protocol.post.as_ref().context("it takes no posts")?
        } else {
            &protocol.event
        };
        let outcome = self.load.run(pace, event)?;
        let processor = process.processor_time()?.saturating_sub(before);
        Ok(Measurement { outcome, processor })
    }
}

impl Measurement {
    pub fn per_cpu_second(&self) -> f64 {
        self.outcome.received as f64 / self.processor.as_secs_f64().max(0.001)
    }
}
