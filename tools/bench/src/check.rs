//! The short check: has a delivery become dearer? Told by ratios alone: Tonesa's processor time for each delivery beside the
//! bare program's, both on the same core in turns of a moment, so that whatever slows the machine slows both.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::load::Pace;
use crate::report::{median, range};
use crate::scenarios::{Bench, Scene, memory, tell};
use crate::systems::{self, Ground, System, Wants};

const WATCHERS: usize = 1_000;
/// Watchers whose memory is taken: enough for what a node needs by itself not to matter.
const IDLE: usize = 5_000;

/// Turns that are repeated at most.
const MOST_DISTURBED: usize = 40;

/// What is done in turns, and the most that its ratio may be.
struct Part {
    name: &'static str,
    pace: Pace,
    /// How often in a turn.
    times: usize,
    turns: usize,
    together: bool,
    /// Latencies, in milliseconds, from which on something else had the core: then events are written together that would
    /// have been written by themselves, which makes them cheap.
    late: f64,
    most: f64,
}

/// One event now and then, each written by itself. The ratio was 1.04 to 1.14 in runs on a machine that was busy with other
/// things all the time; a quarter more is 1.3 at least.
const LIGHT: Part = Part {
    name: "light load",
    pace: Pace {
        rate: 20.0,
        duration: Duration::from_secs(1),
        warm_up: Duration::ZERO,
    },
    times: 1,
    turns: 11,
    together: false,
    late: 25.0,
    most: 1.25,
};

/// Many events at once, which can be written together. How many are depends on what else the machine does, and the ratio
/// with it: 1.4 to 1.8. Each written by itself they would take several times as much.
const BURSTS: Part = Part {
    name: "bursts",
    pace: Pace {
        rate: 1e6,
        duration: Duration::from_micros(50),
        warm_up: Duration::ZERO,
    },
    times: 40,
    turns: 5,
    together: true,
    late: f64::INFINITY,
    most: 2.5,
};

/// KiB of an idle watcher: 2.8 to 3.0 in many runs, and a quarter more than that is 3.5.
const MOST_MEMORY: f64 = 3.5;

/// Measures, and fails when a ratio is too high.
///
/// # Errors
/// When it is, or when something cannot be measured.
pub fn run(ground: Ground) -> Result<()> {
    let bench = Bench {
        ground,
        duration: Duration::ZERO,
        watchers: WATCHERS,
        found: Mutex::new(HashMap::new()),
    };
    for part in [LIGHT, BURSTS] {
        let ratios = part.ratios(&bench)?;
        let (least, most) = range(&ratios);
        let ratio = median(&ratios);
        tell(&format!(
            "{}: a delivery takes {ratio:.2} times what the bare program takes ({least:.2} to {most:.2}), at most {}",
            part.name, part.most
        ));
        if ratio > part.most {
            bail!("{}: {ratio:.2} is over {}", part.name, part.most);
        }
    }
    let memory = memory::each(&bench, &systems::Tonesa, IDLE)?;
    tell(&format!(
        "an idle watcher takes {memory:.2} KiB, at most {MOST_MEMORY}"
    ));
    if memory > MOST_MEMORY {
        bail!("an idle watcher takes {memory:.2} KiB, which is over {MOST_MEMORY}");
    }
    Ok(())
}

impl Part {
    fn ratios(&self, bench: &Bench) -> Result<Vec<f64>> {
        let mut wants = Wants::rooms(1);
        wants.together = self.together;
        let open = |system: &dyn System| Scene::open(bench, system, wants, WATCHERS);
        let mut floor = open(&systems::Floor)?;
        let mut node = open(&systems::Tonesa)?;
        let mut ratios = Vec::new();
        let mut disturbed = 0;
        while ratios.len() < self.turns {
            let (bare, own) = (self.turn(&mut floor)?, self.turn(&mut node)?);
            // On a busy machine every turn may be disturbed: then they have to do.
            if bare.late.max(own.late) > self.late && disturbed < MOST_DISTURBED {
                disturbed += 1;
                continue;
            }
            ratios.push(own.each / bare.each);
        }
        if disturbed > 0 {
            tell(&format!(
                "{}: {disturbed} disturbed turns were repeated",
                self.name
            ));
        }
        Ok(ratios)
    }

    fn turn(&self, scene: &mut Scene) -> Result<Turn> {
        let (mut received, mut processor, mut late) = (0, Duration::ZERO, 0.0);
        for _ in 0..self.times {
            let measured = scene.measure(self.pace)?;
            received += measured.outcome.received;
            processor += measured.processor;
            late = measured.outcome.latency_ms(0.99).max(late);
        }
        Ok(Turn {
            each: processor.as_secs_f64() / received as f64,
            late,
        })
    }
}

/// What a turn brought.
struct Turn {
    /// The processor time of a delivery, in seconds.
    each: f64,
    /// The latency that all but one in a hundred deliveries stay within, in milliseconds.
    late: f64,
}
