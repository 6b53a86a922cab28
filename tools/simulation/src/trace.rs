//! What happened when, line by line.

use std::fmt::Display;
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Millis;

/// The lines of a run: virtual time, who, and what. Clones write to the same trace.
#[derive(Clone)]
pub struct Trace(Arc<Mutex<Lines>>);

struct Lines {
    /// `None` if only the digest is wanted.
    text: Option<String>,
    hasher: DefaultHasher,
    count: u64,
}

impl Trace {
    /// Creates an empty trace.
    pub fn new(is_kept: bool) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            text: is_kept.then(String::new),
            // Without random keys: two runs have the same digest if their traces are equal.
            hasher: DefaultHasher::new(),
            count: 0,
        })))
    }

    /// Adds a line.
    pub fn line(&self, at: Millis, who: impl Display, what: impl Display) {
        let line = format!("{at:>9} {who:<3} {what}\n");
        let mut lines = self.lock();
        lines.hasher.write(line.as_bytes());
        lines.count += 1;
        if let Some(text) = &mut lines.text {
            text.push_str(&line);
        }
    }

    /// The number of lines, and a digest of them all.
    pub fn digest(&self) -> (u64, u64) {
        let lines = self.lock();
        (lines.count, lines.hasher.finish())
    }

    /// All lines, if they were kept.
    pub fn text(&self) -> String {
        self.lock().text.clone().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
