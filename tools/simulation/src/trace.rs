//! What happened when, line by line.

use std::fmt::{self, Display, Write};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Millis;

/// The lines of a run. Clones write to the same trace.
#[derive(Clone)]
pub struct Trace(Arc<Mutex<Lines>>);

/// A line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The virtual time.
    pub at: Millis,
    /// `n0` is a node, `c7` a client, and `!` the world outside.
    pub who: String,
    /// What has happened.
    pub what: String,
}

struct Lines {
    /// `None` if only the digest is wanted.
    kept: Option<Vec<Line>>,
    hasher: DefaultHasher,
}

impl Trace {
    /// Creates an empty trace.
    pub fn new(is_kept: bool) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            kept: is_kept.then(Vec::new),
            // Without random keys: two runs have the same digest if their traces are equal.
            hasher: DefaultHasher::new(),
        })))
    }

    /// Adds a line.
    pub fn line(&self, at: Millis, who: impl Display, what: impl Display) {
        let mut lines = self.lock();
        let digest = &mut Digest(&mut lines.hasher);
        writeln!(digest, "{at} {who} {what}").expect("a digest takes everything");
        if let Some(kept) = &mut lines.kept {
            let (who, what) = (who.to_string(), what.to_string());
            kept.push(Line { at, who, what });
        }
    }

    /// A digest of all lines.
    pub fn digest(&self) -> u64 {
        self.lock().hasher.finish()
    }

    /// Takes all lines, if they were kept.
    pub fn take(&self) -> Vec<Line> {
        self.lock().kept.take().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, who, what } = self;
        write!(f, "{at:>9} {who:<3} {what}")
    }
}

/// Hashes what is written, without a text in between.
struct Digest<'a>(&'a mut DefaultHasher);

impl Write for Digest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
