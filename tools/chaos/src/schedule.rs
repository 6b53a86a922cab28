//! Which fault happens when: drawn from the seed alone, so that a run can be repeated.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::ValueEnum;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::fault::{Kind, Target};

const MAX_ACTIVE: usize = 2;
/// Mean time from one fault's start to the next one's, in a run that is long enough for all kinds.
const SPACING: Duration = Duration::from_secs(6);
/// Time at the end of a short run in which its last fault can be repaired.
const TAIL: Duration = Duration::from_secs(24);

/// A fault that will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    pub number: usize,
    /// When it starts, from the run's start.
    pub at: Duration,
    /// After how long it is repaired.
    pub duration: Duration,
    pub kind: Kind,
    /// Which node it affects, if it affects one.
    pub node: usize,
}

impl Planned {
    /// When its target has recovered.
    pub fn end(&self) -> Duration {
        self.at + self.kind.occupies(self.duration)
    }

    /// What happens, and where.
    pub fn what(&self) -> String {
        if self.kind.affects_one_node() {
            format!("{} (node {})", self.kind, self.node)
        } else {
            self.kind.to_string()
        }
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, what) = (self.at.as_secs_f64(), self.what());
        write!(out, "{at:7.1} s  fault {}: {what}", self.number)?;
        if self.duration > Duration::ZERO {
            write!(out, ", for {:.1} s", self.duration.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Draws the faults of a run, none of them in its first `quiet` time. Each kind comes once before any comes again.
pub fn draw(seed: u64, quiet: Duration, length: Duration, nodes: usize) -> Vec<Planned> {
    let kinds = u32::try_from(Kind::value_variants().len()).unwrap_or(u32::MAX);
    // A short run has its faults closer together, to have each kind all the same.
    let spacing = (length.saturating_sub(quiet).saturating_sub(TAIL) / kinds).min(SPACING);
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut remaining, mut planned) = (Vec::new(), Vec::new());
    let mut at = quiet;
    loop {
        let next = next_fault(&mut rng, &mut remaining, at, &planned, nodes);
        if next.at + next.duration > length {
            return planned;
        }
        planned.push(next);
        at = next.at + random_duration(&mut rng, spacing / 2..=spacing * 3 / 2);
    }
}

/// One of the remaining kinds that can start at `at`, or else the first that can.
fn next_fault(
    rng: &mut StdRng,
    remaining: &mut Vec<Kind>,
    at: Duration,
    planned: &[Planned],
    nodes: usize,
) -> Planned {
    if remaining.is_empty() {
        *remaining = Kind::value_variants().to_vec();
        remaining.shuffle(rng);
    }
    let start = |kind: Kind| earliest_start(kind.target(), at, planned);
    let first = (0..remaining.len()).min_by_key(|place| start(remaining[*place]));
    let kind = remaining.remove(first.unwrap_or_default());
    let (shortest, longest) = kind.seconds().into_inner();
    let durations = Duration::from_secs(shortest)..=Duration::from_secs(longest);
    Planned {
        number: planned.len(),
        at: start(kind),
        duration: random_duration(rng, durations),
        kind,
        node: rng.random_range(0..nodes),
    }
}

fn random_duration(rng: &mut StdRng, range: RangeInclusive<Duration>) -> Duration {
    let millis = |duration: &Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let drawn = rng.random_range(millis(range.start())..=millis(range.end()));
    Duration::from_millis(drawn)
}

/// The first moment from `at` on at which the target is not affected and fewer than [`MAX_ACTIVE`] faults are active.
fn earliest_start(target: Target, at: Duration, planned: &[Planned]) -> Duration {
    let ends = planned.iter().map(Planned::end);
    let mut moments: Vec<_> = ends.filter(|end| *end > at).chain([at]).collect();
    moments.sort();
    let fits = |moment: &Duration| {
        let active = || planned.iter().filter(|it| it.end() > *moment);
        active().count() < MAX_ACTIVE && active().all(|it| it.kind.target() != target)
    };
    let last = moments.last().copied().unwrap_or(at);
    moments.into_iter().find(fits).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const QUIET: Duration = Duration::from_secs(6);
    const SHORT: Duration = Duration::from_secs(75);
    const LONG: Duration = Duration::from_mins(15);
    const SEEDS: u64 = 50;

    #[test]
    fn the_same_seed_has_the_same_faults() {
        assert_eq!(draw(7, QUIET, LONG, 3), draw(7, QUIET, LONG, 3));
        assert_ne!(draw(7, QUIET, LONG, 3), draw(8, QUIET, LONG, 3));
    }

    #[test]
    fn a_short_run_has_every_kind_and_a_quarter_of_an_hour_a_hundred_faults() {
        for seed in 0..SEEDS {
            let planned = draw(seed, QUIET, SHORT, 3);
            let kinds: HashSet<_> = planned.iter().map(|it| it.kind).collect();
            assert_eq!(
                kinds.len(),
                Kind::value_variants().len(),
                "seed {seed}: {kinds:?}"
            );
            let faults = draw(seed, QUIET, LONG, 3).len();
            assert!(faults >= 100, "seed {seed}: {faults}");
        }
    }

    #[test]
    fn at_most_two_faults_are_active_and_on_different_targets() {
        let mut pairs = 0;
        for seed in 0..SEEDS {
            let planned = draw(seed, QUIET, LONG, 3);
            for (i, late) in planned.iter().enumerate() {
                let active = planned[..i].iter().filter(|it| it.end() > late.at);
                let targets: Vec<_> = active.map(|it| it.kind.target()).collect();
                assert!(targets.len() < MAX_ACTIVE, "seed {seed}: {late}");
                assert!(!targets.contains(&late.kind.target()));
                pairs += targets.len();
            }
        }
        assert!(pairs > 100, "faults do overlap: {pairs}");
    }

    #[test]
    fn no_fault_is_in_the_quiet_start_and_all_end_in_time() {
        for planned in draw(3, QUIET, LONG, 3) {
            assert!(planned.at >= QUIET, "{planned}");
            assert!(planned.at + planned.duration <= LONG, "{planned}");
            assert!(planned.node < 3);
        }
    }
}
