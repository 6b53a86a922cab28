//! That a disk takes writes, proven now and then: probes come often, and a proof costs a disk sync.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a proof holds.
const HOLDS: Duration = Duration::from_secs(5);

/// When something was last proven.
#[derive(Debug, Default)]
pub struct Proof(Mutex<Option<Instant>>);

impl Proof {
    /// Whether it has to be proven again. Two who ask at once may both prove it.
    pub fn is_due(&self) -> bool {
        let proven = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        proven.is_none_or(|proven| proven.elapsed() >= HOLDS)
    }

    /// It was proven just now.
    pub fn renew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}
