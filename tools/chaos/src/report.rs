//! The figures of a run, and its verdict.

use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::recorder::Records;
use crate::resources::Usage;

/// What came out of a run.
#[derive(Debug, Default)]
pub struct Report {
    pub seed: u64,
    /// What the clients observed, and what must not have happened.
    pub records: Records,
    /// How many messages are stored.
    pub stored: usize,
    /// How many transcripts were compared.
    pub transcripts: usize,
    /// How long after the last repair everybody had everything.
    pub caught_up: Option<Duration>,
    /// How long after that everybody was connected.
    pub live: Option<Duration>,
    /// How many milliseconds messages took to be listed elsewhere, before the first fault and after the last repair.
    pub delays: [Option<Histogram<u64>>; 2],
    pub usage: Vec<Usage>,
}

impl Report {
    pub fn has_passed(&self) -> bool {
        self.records.violations.is_empty()
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let (seed, transcripts, stored) = (self.seed, self.transcripts, self.stored);
        let acknowledged = self.records.acknowledged.len();
        let (caught_up, live) = (seconds(self.caught_up), seconds(self.live));
        writeln!(out, "chaos: figures of seed {seed}")?;
        writeln!(
            out,
            "  {acknowledged} messages acknowledged, {stored} stored"
        )?;
        writeln!(out, "  {transcripts} transcripts compared")?;
        writeln!(
            out,
            "  caught up {caught_up} after the last repair, all connected {live} later"
        )?;
        for (when, delays) in ["before", "after"].into_iter().zip(&self.delays) {
            let Some(delays) = delays else { continue };
            let [p50, p99] = [0.5, 0.99].map(|quantile| delays.value_at_quantile(quantile));
            let (max, count) = (delays.max(), delays.len());
            writeln!(
                out,
                "  post to listed {when} all faults: p50 {p50} ms, p99 {p99} ms, at most {max} ms ({count} times)"
            )?;
        }
        for (number, usage) in self.usage.iter().enumerate() {
            writeln!(out, "  node {number}: {usage}")?;
        }
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
