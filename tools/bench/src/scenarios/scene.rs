//! A system with its watchers.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Bench;
use crate::load::{Load, Opening, Outcome, Pace, Via};
use crate::systems::{Instance, System, Wants};
use crate::usage::ProcessorTime;

/// Sockets are opened so many at once: below what a listening socket keeps waiting.
pub const GENTLY: Opening = Opening {
    at_once: 100,
    dead: false,
};
/// Between the last socket's opening and a measurement.
const SETTLE: Duration = Duration::from_millis(300);

/// A running system and its watchers.
pub struct Scene {
    /// The system.
    pub instance: Instance,
    /// Its watchers.
    pub load: Load,
    /// On which way events go to it.
    pub via: Via,
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
        load.open(instance.address, &rooms, script, GENTLY)?;
        load.idle(SETTLE)?;
        Ok(Self {
            instance,
            load,
            via: Via::Sockets,
        })
    }

    /// From now on events go over HTTP, on so many connections.
    ///
    /// # Errors
    /// When the system takes no such connections.
    pub fn by_posts(&mut self, connections: usize) -> Result<()> {
        self.load
            .post_to(self.instance.address, connections, false)?;
        self.via = Via::Posts;
        Ok(())
    }

    /// Sends events, and takes the system's processor time from before the first one to after the last delivery.
    ///
    /// # Errors
    /// When the system has ended, or refuses posts.
    pub fn measure(&mut self, pace: Pace) -> Result<Measured> {
        let process = self.instance.process()?;
        let before = ProcessorTime::of(process)?;
        let speech = self.instance.speech();
        let event = match self.via {
            Via::Sockets => &speech.event,
            Via::Posts => speech.post.as_ref().context("it takes no posts")?,
        };
        let outcome = self.load.run(pace, self.via, event)?;
        self.load.posted()?;
        let after = ProcessorTime::of(process)?;
        Ok(Measured {
            outcome,
            processor: after.since(&before),
        })
    }
}

impl Measured {
    /// Deliveries for each second of the system's processor time.
    pub fn per_processor_second(&self) -> f64 {
        self.outcome.received as f64 / self.processor.as_secs_f64().max(0.001)
    }
}
