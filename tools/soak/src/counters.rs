//! What was done, and what went wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many errors are shown; more are only counted.
const SHOWN: u64 = 10;

/// Answers 503.
pub const BUSY: &str = "answers 503";
/// Entries that no frame has brought.
pub const GAPS: &str = "gaps filled";

/// Counts for a whole run.
#[derive(Debug, Default)]
pub struct Counters(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: BTreeMap<&'static str, u64>,
    errors: u64,
}

impl Counters {
    /// Counts something that was done; its name is in the plural.
    pub fn count(&self, what: &'static str) {
        *self.counts().done.entry(what).or_default() += 1;
    }

    /// Counts an error that nobody expected, and prints the first ones.
    pub fn error(&self, error: &str) {
        let mut counts = self.counts();
        counts.errors += 1;
        if counts.errors <= SHOWN {
            eprintln!("soak: {error}");
        }
    }

    /// How often something was done.
    pub fn number(&self, what: &str) -> u64 {
        self.counts().done.get(what).copied().unwrap_or_default()
    }

    /// The number of errors that nobody expected.
    pub fn errors(&self) -> u64 {
        self.counts().errors
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        for (what, number) in &counts.done {
            write!(out, "{number} {what}, ")?;
        }
        write!(out, "{} errors", counts.errors)
    }
}
