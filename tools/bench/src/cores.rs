//! Which core does what: one for the system under test, another for the load and what the system talks to.

use std::thread;

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The two cores. On a machine with one core they are the same, and figures compare with nothing.
#[derive(Debug, Clone, Copy)]
pub struct Cores {
    /// Where systems under test run.
    pub system: usize,
    /// Where the load is made; Redis runs there too.
    pub load: usize,
}

impl Cores {
    /// The first two cores that this process may use; pins the calling thread to the load's.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn take() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("asking which cores may be used")?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let system = allowed.next().context("no core may be used")?;
        let cores = Self {
            system,
            load: allowed.next().unwrap_or(system),
        };
        if cores.load == cores.system {
            eprintln!(
                "bench: one core only: load and systems share it, the figures compare with nothing"
            );
        }
        pin(cores.load)?;
        Ok(cores)
    }

    /// Starts something that belongs to the system's core: processes and threads inherit the core of the thread that
    /// starts them.
    ///
    /// # Errors
    /// When the kernel refuses, or what `start` says.
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
