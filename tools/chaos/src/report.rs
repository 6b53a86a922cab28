//! The figures of a run, and its verdict.

use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

use crate::recorder::Records;

/// What came out of a run.
#[derive(Debug, Default)]
pub struct Report {
    pub seed: u64,
    /// What the clients observed, and what must not have happened.
    pub records: Records,
    /// How many entries are stored.
    pub stored: usize,
    /// How many clients' lists were compared.
    pub lists: usize,
    /// How long after the last repair everybody was connected.
    pub live: Option<Duration>,
    /// How long after that everybody had everything.
    pub caught_up: Option<Duration>,
}

impl Report {
    pub fn has_passed(&self) -> bool {
        self.records.violations.is_empty()
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let (seed, lists, stored) = (self.seed, self.lists, self.stored);
        let acknowledged = self.records.acknowledged.len();
        let delay = self.records.longest_delay.as_millis();
        writeln!(out, "chaos: figures of seed {seed}")?;
        writeln!(
            out,
            "  {acknowledged} messages acknowledged, {stored} entries stored, {lists} lists compared"
        )?;
        let (live, caught_up) = (seconds(self.live), seconds(self.caught_up));
        writeln!(
            out,
            "  all connected {live} after the last repair, caught up {caught_up} later"
        )?;
        writeln!(out, "  post to listed after it: {delay} ms at most")?;
        for (what, count) in &self.records.counts {
            writeln!(out, "  {count:6} x {what}")?;
        }
        if self.has_passed() {
            return write!(out, "chaos: PASSED (seed {seed})");
        }
        let violations = self.records.violations.join("\n  - ");
        write!(out, "chaos: FAILED (seed {seed}):\n  - {violations}")
    }
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or("not in time".to_owned(), |time| {
        format!("{:.1} s", time.as_secs_f64())
    })
}
