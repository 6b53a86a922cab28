//! Runs of the simulation.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use simulation::{BrokerKind, Plan, Report, replay, report, run};

/// How long fresh seeds are run.
const FRESH: Duration = Duration::from_mins(1);

/// With how many seeds a kept case is run.
const SEEDS: u64 = 6;

const BROKERS: [BrokerKind; 2] = [BrokerKind::Simulated, BrokerKind::Redis];

fn round(seed: u64, broker: BrokerKind, is_traced: bool) -> Report {
    run(seed, broker, 0, is_traced)
}

/// These seeds with each broker.
fn with_each_broker(seeds: impl Iterator<Item = u64>) -> impl Iterator<Item = (u64, BrokerKind)> {
    seeds.flat_map(|seed| BROKERS.map(|broker| (seed, broker)))
}

/// The option for a broker.
fn flag(broker: BrokerKind) -> Option<&'static str> {
    (broker == BrokerKind::Redis).then_some("--redis")
}

#[test]
fn the_same_seed_does_the_same() {
    for (seed, broker) in with_each_broker(1..=3) {
        let (first, second) = (round(seed, broker, true), round(seed, broker, true));
        let mut lines = first.trace.iter().zip(&second.trace);
        let difference = lines.find(|(first, second)| first != second);
        assert_eq!(difference, None, "the first difference with seed {seed}");
        assert_eq!(first.trace, second.trace);
    }
    let trace = |seed, broker| round(seed, broker, true).trace;
    let [simulated, redis] = BROKERS;
    assert_ne!(trace(1, simulated), trace(2, simulated));
    assert_ne!(trace(1, redis), trace(2, redis));
    assert_ne!(trace(1, simulated), trace(1, redis));
}

#[test]
fn another_process_does_the_same() {
    for (seed, broker) in with_each_broker(1..=3) {
        let run = Command::new(env!("CARGO_BIN_EXE_simulation"))
            .args(["--hours", "0", "--seed", &seed.to_string()])
            .args(flag(broker))
            .output();
        let told = String::from_utf8(run.unwrap().stdout).unwrap();
        let digest = format!("digest {:016x}\n", round(seed, broker, false).digest);
        assert!(told.ends_with(&digest), "{told} instead of {digest}");
    }
}

#[test]
fn the_report_is_a_page_with_the_last_round() {
    let traced = run(1, BrokerKind::Simulated, 600_000, true);
    let page = report::page(&traced);
    let lines = traced.trace.iter().rev();
    let round = lines.take_while(|line| line.what != "phase: meeting");
    let told = round.filter(|line| page.contains(&serde_json::to_string(&line.what).unwrap()));
    assert!(told.count() > 100);
    assert!(!page.contains("/*"), "all parts are filled in");
}

#[test]
fn no_kept_case_violates_a_property() {
    let cases = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/cases")).unwrap();
    for case in cases {
        let path = case.unwrap().path();
        let plan: Plan = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        // Whatever changes in the code changes all delays: the seed of the failure may show it no longer.
        for further in 0..SEEDS {
            let seed = plan.seed + further;
            let plan = Plan {
                seed,
                ..plan.clone()
            };
            let report = replay(&plan, false);
            assert_eq!(
                report.violation,
                None,
                "{} with seed {seed}",
                path.display()
            );
        }
    }
}

#[test]
fn no_fresh_seed_violates_a_property() {
    let begin = Instant::now();
    let first = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    for (seed, broker) in with_each_broker(first..) {
        let report = round(seed, broker, false);
        assert_eq!(
            report.violation,
            None,
            "look at it: cargo xtask simulate -- --hours 0 --seed {seed} {} --report report.html",
            flag(broker).unwrap_or_default()
        );
        if begin.elapsed() > FRESH {
            return;
        }
    }
}
