//! Limits how often a probe checks that the disk can be written to: probes come often, and each check costs a disk
//! sync.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the result of a check is valid.
const VALID_FOR: Duration = Duration::from_secs(5);

/// The time of the last successful check.
#[derive(Debug, Default)]
pub struct WriteCheck(Mutex<Option<Instant>>);

impl WriteCheck {
    /// Returns whether a check is due. Concurrent callers may both get `true`.
    pub fn is_due(&self) -> bool {
        let checked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        checked.is_none_or(|checked| checked.elapsed() >= VALID_FOR)
    }

    /// Records a successful check.
    pub fn record(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}
