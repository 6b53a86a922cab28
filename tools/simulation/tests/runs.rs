//! Runs of the simulation.

use std::time::{Duration, Instant, SystemTime};

use simulation::{Options, Report, run};

/// How long fresh seeds are run.
const FRESH: Duration = Duration::from_secs(15);

fn round(seed: u64, is_traced: bool) -> Report {
    run(Options {
        seed,
        length: 0,
        is_traced,
    })
}

#[test]
fn the_same_seed_does_the_same() {
    for seed in 1..=3 {
        let (first, second) = (round(seed, true), round(seed, true));
        let mut lines = first.trace.lines().zip(second.trace.lines());
        let difference = lines.find(|(first, second)| first != second);
        assert_eq!(difference, None, "the first difference with seed {seed}");
        assert_eq!(first.trace, second.trace);
    }
    assert_ne!(round(1, true).trace, round(2, true).trace);
}

#[test]
fn no_fresh_seed_violates_a_property() {
    let begin = Instant::now();
    let first = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    for seed in first.. {
        let report = round(seed, false);
        assert_eq!(
            report.violation, None,
            "repeat it: cargo run -p simulation -- --hours 0 --trace --seed {seed}"
        );
        if begin.elapsed() > FRESH {
            return;
        }
    }
}
