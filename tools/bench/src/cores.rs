//! Which core does what: one for the system under test, another for the load and what the system talks to.

use std::thread;

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The core of the system under test. The load and Redis run on the core to which [`Cores::take`] pins its thread.
#[derive(Debug, Clone, Copy)]
pub struct Cores {
    system: usize,
}

impl Cores {
    /// Takes the first two cores that this process may use, and pins the calling thread to the load's.
    pub fn take() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("asking which cores may be used")?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let system = allowed.next().context("no core may be used")?;
        let load = allowed.next().unwrap_or_else(|| {
            eprintln!(
                "bench: one core only: load and systems share it, the figures compare with nothing"
            );
            system
        });
        pin(load)?;
        Ok(Self { system })
    }

    /// Runs `start` on the system's core: a process stays on the core of the thread that starts it.
    pub fn on_system<T: Send>(self, start: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let started = scope.spawn(|| {
                pin(self.system)?;
                start()
            });
            started.join().expect("a panic there is one here")
        })
    }
}

fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("staying on core {core}"))
}
