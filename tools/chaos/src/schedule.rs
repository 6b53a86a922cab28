//! What goes wrong when: drawn from the seed alone, so that the same seed has the same faults at the same moments.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::fault::{Kind, Target};

/// How many faults may be active at once.
const MOST_AT_ONCE: usize = 2;
/// Mean time from one fault's begin to the next one's, in a run that is long enough to have all kinds.
const SPACING: Duration = Duration::from_secs(6);
/// What a short run keeps free at its end for the last fault to last.
const TAIL: Duration = Duration::from_secs(24);

/// One fault that will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Its number, from 0.
    pub number: usize,
    /// When it begins, from the run's begin.
    pub at: Duration,
    /// After how long it is repaired.
    pub lasts: Duration,
    /// What goes wrong.
    pub kind: Kind,
    /// Which node it concerns, when it concerns one.
    pub node: usize,
}

impl Planned {
    /// When nothing is left of it, if the nodes help themselves in time where it is theirs.
    pub fn end(&self) -> Duration {
        self.at + self.kind.occupies(self.lasts)
    }
}

impl Planned {
    /// What happens, and where.
    pub fn what(&self) -> String {
        if self.kind.concerns_a_node() {
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
        if self.lasts > Duration::ZERO {
            write!(out, ", for {:.1} s", self.lasts.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Draws the faults of a run of `length`, none of them in the first `calm`.
///
/// The kinds are dealt like cards: each comes once before any comes again. Two may be active at once, if they concern
/// different things.
pub fn draw(seed: u64, calm: Duration, length: Duration, nodes: usize) -> Vec<Planned> {
    let mut dealer = Dealer::new(seed, spacing(length.saturating_sub(calm)), nodes);
    let mut planned: Vec<Planned> = Vec::new();
    let mut at = calm;
    loop {
        let next = dealer.deal(planned.len(), at, &planned);
        if next.at + next.lasts > length {
            return planned;
        }
        planned.push(next);
        at = next.at + dealer.pause();
    }
}

/// A run with little time has its faults closer together, to have each kind all the same.
fn spacing(length: Duration) -> Duration {
    let kinds = u32::try_from(Kind::ALL.len()).unwrap_or(u32::MAX);
    (length.saturating_sub(TAIL) / kinds).min(SPACING)
}

struct Dealer {
    chance: StdRng,
    deck: Vec<Kind>,
    spacing: Duration,
    nodes: usize,
}

impl Dealer {
    fn new(seed: u64, spacing: Duration, nodes: usize) -> Self {
        Self {
            chance: StdRng::seed_from_u64(seed),
            deck: Vec::new(),
            spacing,
            nodes,
        }
    }

    /// The next fault: one that can begin at `at`, or else the first of the deck as soon as it can.
    fn deal(&mut self, number: usize, at: Duration, planned: &[Planned]) -> Planned {
        if self.deck.is_empty() {
            self.deck = Kind::ALL.to_vec();
            self.deck.shuffle(&mut self.chance);
        }
        let begins = |kind: &Kind| earliest(kind.target(), at, planned);
        let place = (0..self.deck.len()).min_by_key(|place| begins(&self.deck[*place]));
        let kind = self.deck.remove(place.unwrap_or_default());
        let (shortest, longest) = kind.lasts();
        Planned {
            number,
            at: earliest(kind.target(), at, planned),
            lasts: self.between(shortest, longest),
            kind,
            node: self.chance.random_range(0..self.nodes),
        }
    }

    fn pause(&mut self) -> Duration {
        self.between(self.spacing / 2, self.spacing * 3 / 2)
    }

    fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let drawn = self.chance.random_range(millis(shortest)..=millis(longest));
        Duration::from_millis(drawn)
    }
}

/// The first moment from `at` on at which the target is well and there is room for one more fault.
fn earliest(target: Target, at: Duration, planned: &[Planned]) -> Duration {
    let ends = planned.iter().map(Planned::end);
    let mut moments: Vec<_> = ends.filter(|end| *end > at).chain([at]).collect();
    moments.sort();
    let fits = |moment: &Duration| {
        let active = || planned.iter().filter(|it| it.end() > *moment);
        active().count() < MOST_AT_ONCE && active().all(|it| it.kind.target() != target)
    };
    let last = moments.last().copied().unwrap_or(at);
    moments.into_iter().find(fits).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const CALM: Duration = Duration::from_secs(6);
    const SHORT: Duration = Duration::from_secs(75);
    const LONG: Duration = Duration::from_mins(15);
    const SEEDS: u64 = 50;

    #[test]
    fn the_same_seed_has_the_same_faults() {
        assert_eq!(draw(7, CALM, LONG, 3), draw(7, CALM, LONG, 3));
        assert_ne!(draw(7, CALM, LONG, 3), draw(8, CALM, LONG, 3));
    }

    #[test]
    fn every_kind_happens_even_in_a_short_run() {
        for seed in 0..SEEDS {
            let kinds: HashSet<_> = draw(seed, CALM, SHORT, 3)
                .iter()
                .map(|it| it.kind)
                .collect();
            assert_eq!(kinds.len(), Kind::ALL.len(), "seed {seed}: {kinds:?}");
        }
    }

    #[test]
    fn a_quarter_of_an_hour_has_a_hundred_faults() {
        for seed in 0..SEEDS {
            let faults = draw(seed, CALM, LONG, 3).len();
            assert!(faults >= 100, "seed {seed}: {faults}");
        }
    }

    #[test]
    fn at_most_two_faults_are_active_and_each_on_a_thing_of_its_own() {
        let mut pairs = 0;
        for seed in 0..SEEDS {
            let planned = draw(seed, CALM, LONG, 3);
            for (i, late) in planned.iter().enumerate() {
                let active: Vec<_> = planned[..i]
                    .iter()
                    .filter(|it| it.end() > late.at)
                    .collect();
                assert!(active.len() < MOST_AT_ONCE, "seed {seed}: {late}");
                assert!(
                    active
                        .iter()
                        .all(|it| it.kind.target() != late.kind.target())
                );
                pairs += active.len();
            }
        }
        assert!(pairs > 100, "faults do overlap: {pairs}");
    }

    #[test]
    fn the_beginning_is_calm_and_everything_ends_in_time() {
        for planned in draw(3, CALM, LONG, 3) {
            assert!(planned.at >= CALM, "{planned}");
            assert!(planned.at + planned.lasts <= LONG, "{planned}");
            assert!(planned.node < 3);
        }
    }
}
