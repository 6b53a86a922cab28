//! How far a run has come. When a task of a node goes round without a pause, virtual time stands still, and nothing in
//! the run's thread can notice it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Millis;
use crate::plan::Plan;

/// How long one turn of the nodes may take on the clock on the wall, at least. It usually takes microseconds; a machine
/// may stand still for some seconds.
const LIMIT: Duration = Duration::from_secs(20);

/// What a run's thread shows to the one that waits for it.
pub struct Progress {
    plan: Mutex<Plan>,
    turns: AtomicU64,
    now: AtomicU64,
    faults: AtomicU64,
}

impl Progress {
    /// Nothing has been run yet of this plan.
    pub fn new(plan: Plan) -> Self {
        Self {
            plan: Mutex::new(plan),
            turns: AtomicU64::new(0),
            now: AtomicU64::new(0),
            faults: AtomicU64::new(0),
        }
    }

    /// What has been run, with the round that is being run.
    pub fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that all nodes have had a turn.
    pub fn turn(&self, now: Millis, faults: u64) {
        self.now.store(now, Ordering::Relaxed);
        self.faults.store(faults, Ordering::Relaxed);
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// The virtual time after the last turn, and how many faults there were.
    pub fn reached(&self) -> (Millis, u64) {
        let [now, faults] = [&self.now, &self.faults].map(|it| it.load(Ordering::Relaxed));
        (now, faults)
    }

    /// Waits for the end of the run, when its thread drops the sender. Returns false if the run is stuck.
    pub fn wait(&self, end: &Receiver<Infallible>) -> bool {
        let mut before = 0;
        loop {
            match end.recv_timeout(LIMIT) {
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => {}
                Ok(never) => match never {},
            }
            let turns = self.turns.load(Ordering::Relaxed);
            if turns == before {
                return false;
            }
            before = turns;
        }
    }
}
