//! Which fault happens when: drawn from the seed alone, so that a run can be repeated.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::fault::{Kind, LANES};

/// The pause before a fault.
const PAUSE: RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_secs(7);

/// A fault that will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// When it starts, from the run's start.
    pub at: Duration,
    /// After how long it is repaired.
    pub duration: Duration,
    pub kind: Kind,
    /// Which node it affects, if it affects one.
    pub node: usize,
}

impl Planned {
    /// When what it affects has recovered.
    pub fn end(&self) -> Duration {
        self.at + self.duration + self.kind.recovery()
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::HalfOpen | Kind::NodeKilled | Kind::NodeFrozen => {
                write!(out, "{} (node {})", self.kind, self.node)
            }
            kind => write!(out, "{kind}"),
        }
    }
}

/// Draws the faults of a run, none of them in its first `quiet` time: those of each lane, one after the other. A longer
/// run begins with the same ones.
pub fn draw(seed: u64, quiet: Duration, length: Duration, nodes: usize) -> Vec<Vec<Planned>> {
    let lanes = (0..).zip(LANES).map(|(number, kinds)| {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(10).wrapping_add(number));
        lane(&mut rng, kinds, quiet..=length, nodes)
    });
    lanes.collect()
}

/// Each kind comes once before any comes again.
fn lane(
    rng: &mut StdRng,
    kinds: &[Kind],
    time: RangeInclusive<Duration>,
    nodes: usize,
) -> Vec<Planned> {
    let (mut now, end) = time.into_inner();
    let (mut remaining, mut planned) = (Vec::new(), Vec::new());
    loop {
        if remaining.is_empty() {
            remaining = kinds.to_vec();
            remaining.shuffle(rng);
        }
        let Some(kind) = remaining.pop() else {
            return planned;
        };
        let (shortest, longest) = kind.seconds().into_inner();
        let durations = Duration::from_secs(shortest)..=Duration::from_secs(longest);
        let next = Planned {
            at: now + rng.random_range(PAUSE),
            duration: rng.random_range(durations),
            kind,
            node: rng.random_range(0..nodes),
        };
        if next.at + next.duration > end {
            return planned;
        }
        planned.push(next);
        now = next.end();
    }
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
    fn the_same_seed_begins_with_the_same_faults() {
        let (short, long) = (draw(7, QUIET, SHORT, 3), draw(7, QUIET, LONG, 3));
        let mut lanes = short.iter().zip(&long);
        assert!(lanes.all(|(short, long)| long.starts_with(short)));
        assert_ne!(short, draw(8, QUIET, SHORT, 3));
    }

    #[test]
    fn a_short_run_has_every_kind() {
        let all: HashSet<_> = LANES.into_iter().flatten().copied().collect();
        for seed in 0..SEEDS {
            let planned = draw(seed, QUIET, SHORT, 3);
            let kinds: HashSet<_> = planned.iter().flatten().map(|it| it.kind).collect();
            assert_eq!(kinds, all, "seed {seed}");
        }
    }

    #[test]
    fn faults_of_a_lane_do_not_overlap_and_are_within_their_time() {
        for lane in draw(3, QUIET, LONG, 3) {
            assert!(lane[0].at >= QUIET);
            let pairs = lane.windows(2);
            assert!(pairs.into_iter().all(|it| it[0].end() <= it[1].at));
            let last = lane.last().unwrap();
            assert!(last.at + last.duration <= LONG);
            assert!(lane.iter().all(|it| it.node < 3));
        }
    }
}
