//! What came out of a run.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use app::model::{ClientMessageId, Message};

use crate::check::Verdict;
use crate::ledger::{Book, percentile};
use crate::memory::Memory;
use crate::storm::Tally;
use crate::uploads::Uploads;

/// The figures of a run, and what was wrong.
#[derive(Debug, Default)]
pub struct Report {
    /// What the run was drawn from.
    pub seed: u64,
    /// What must not have been, in sentences; none: the run has passed.
    pub violations: Vec<String>,
    /// How often each kind of fault happened.
    pub faults: Tally,
    /// How long after the last repair everybody had everything.
    pub caught_up: Option<Duration>,
    /// How long after that everybody was connected.
    pub live: Option<Duration>,
    /// How long messages took to be shown before the first fault.
    pub delays_before: Vec<Duration>,
    /// … and after the last repair.
    pub delays_after: Vec<Duration>,
    /// What the API acknowledged.
    pub acknowledged: HashMap<ClientMessageId, Message>,
    /// How many messages are stored.
    pub stored: usize,
    /// How many transcripts were compared.
    pub transcripts: usize,
    /// What became of the uploads.
    pub uploads: Uploads,
    /// How many frames were lost on the way from Redis.
    pub lost_frames: u64,
    /// What the nodes held.
    pub memory: Vec<Memory>,
    stalls: (u64, Duration),
    reconnects: u64,
    closes: BTreeMap<u16, u64>,
    gaps: (u64, u64),
    failed_fetches: u64,
    failed_posts: BTreeMap<String, u64>,
    ripples: u64,
    duplicates: usize,
    out_of_order: usize,
    missing: usize,
}

impl Report {
    /// Of a run that begins.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Something must not have been.
    pub fn blame(&mut self, violation: String) {
        self.violations.push(violation);
    }

    /// These must not have been.
    pub fn blame_all(&mut self, violations: Vec<String>) {
        self.violations.extend(violations);
    }

    /// Takes what the clients wrote down.
    pub fn take_book(&mut self, book: &mut Book) {
        self.blame_all(std::mem::take(&mut book.complaints));
        self.acknowledged = std::mem::take(&mut book.acknowledged);
        self.failed_posts = std::mem::take(&mut book.failed_posts);
        self.closes = std::mem::take(&mut book.closes);
        self.stalls = book.stalls;
        self.reconnects = book.reconnects;
        self.gaps = (book.gaps, book.gap_messages);
        self.failed_fetches = book.failed_fetches;
        self.ripples = book.ripples;
    }

    /// Takes what the transcripts showed.
    pub fn take_verdict(&mut self, verdict: Verdict) {
        self.blame_all(verdict.faults);
        self.duplicates = verdict.duplicates;
        self.out_of_order = verdict.out_of_order;
        self.missing = verdict.missing;
    }

    /// Whether everything was as it must be.
    pub fn has_passed(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "chaos: figures of seed {}", self.seed)?;
        let (total, kinds) = (self.faults.values().sum::<usize>(), self.faults.len());
        writeln!(out, "  faults            {total} of {kinds} kinds")?;
        for (kind, count) in &self.faults {
            writeln!(out, "    {count:4} x {kind}")?;
        }
        self.write_messages(out)?;
        self.write_connections(out)?;
        self.write_times(out)?;
        for (number, memory) in self.memory.iter().enumerate() {
            let Memory {
                most, last, load, ..
            } = memory;
            writeln!(
                out,
                "  node {number}            {last} MiB at last, {most} MiB at most, {} % of a processor at most",
                load.most
            )?;
        }
        if self.has_passed() {
            return write!(out, "chaos: PASSED (seed {})", self.seed);
        }
        writeln!(out, "chaos: FAILED (seed {}):", self.seed)?;
        write!(out, "  - {}", self.violations.join("\n  - "))
    }
}

impl Report {
    fn write_messages(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Uploads {
            acknowledged,
            failed,
            slowest_failure,
        } = &self.uploads;
        writeln!(
            out,
            "  messages          {} acknowledged, {} stored",
            self.acknowledged.len(),
            self.stored
        )?;
        writeln!(
            out,
            "  transcripts       {}: {} duplicates, {} out of order, {} missing",
            self.transcripts, self.duplicates, self.out_of_order, self.missing
        )?;
        writeln!(out, "  failed posts      {}", list(&self.failed_posts))?;
        writeln!(
            out,
            "  uploads           {} acknowledged, {failed} failed (told after {:.1} s at most)",
            acknowledged.len(),
            slowest_failure.as_secs_f64()
        )
    }

    fn write_connections(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (gaps, messages) = self.gaps;
        let (stalls, longest) = self.stalls;
        writeln!(
            out,
            "  stalls            {stalls} of viewers, for {:.1} s at most",
            longest.as_secs_f64()
        )?;
        writeln!(
            out,
            "  reconnects        {}, closes by code: {}",
            self.reconnects,
            list(&self.closes)
        )?;
        writeln!(
            out,
            "  gaps filled       {gaps} with {messages} messages; {} fetches failed",
            self.failed_fetches
        )?;
        writeln!(
            out,
            "  lost frames       {} on the way from Redis; {} ripples arrived",
            self.lost_frames, self.ripples
        )
    }

    fn write_times(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |time: Option<Duration>| {
            time.map_or("not in time".to_owned(), |time| {
                format!("{:.1} s", time.as_secs_f64())
            })
        };
        writeln!(
            out,
            "  caught up         {} after the last repair; all connected {} later",
            seconds(self.caught_up),
            seconds(self.live)
        )?;
        for (when, delays) in [
            ("before", &self.delays_before),
            ("after", &self.delays_after),
        ] {
            let mut delays = delays.clone();
            let mut of = |percent| {
                percentile(&mut delays, percent)
                    .unwrap_or_default()
                    .as_millis()
            };
            let (p50, p99, most) = (of(50), of(99), of(100));
            writeln!(
                out,
                "  post to shown     {when} all faults: p50 {p50} ms, p99 {p99} ms, at most {most} ms ({} times)",
                delays.len()
            )?;
        }
        Ok(())
    }
}

fn list<K: fmt::Display>(counts: &BTreeMap<K, u64>) -> String {
    let counts: Vec<_> = counts
        .iter()
        .map(|(what, count)| format!("{count} x {what}"))
        .collect();
    if counts.is_empty() {
        "none".to_owned()
    } else {
        counts.join(", ")
    }
}
