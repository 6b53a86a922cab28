//! Ends the program when a node does not come to rest: virtual time stands still then, and nothing inside can notice it.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long one turn of a node may take on the clock on the wall. It usually takes microseconds.
const LIMIT: Duration = Duration::from_secs(20);

/// Watches one run.
pub struct Watchdog {
    thread: Thread,
    turns: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Watchdog {
    /// Starts to watch.
    pub fn start(seed: u64) -> Self {
        let (turns, is_over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let watched = (Arc::clone(&turns), Arc::clone(&is_over));
        let watching = thread::spawn(move || {
            let (turns, is_over) = watched;
            let (mut before, mut since) = (None, Instant::now());
            while !is_over.load(Ordering::Relaxed) {
                let now = turns.load(Ordering::Relaxed);
                if before != Some(now) {
                    (before, since) = (Some(now), Instant::now());
                } else if since.elapsed() >= LIMIT {
                    eprintln!(
                        "simulation: seed {seed}: a node does not come to rest: a task spins"
                    );
                    process::exit(1);
                }
                thread::park_timeout(LIMIT);
            }
        });
        let thread = watching.thread().clone();
        Self {
            thread,
            turns,
            is_over,
        }
    }

    /// Records that a turn is over.
    pub fn pat(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}
