//! `cargo run --release -p simulation -- --seed 7`: simulates a cluster, and says whether a property was violated.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use simulation::{Options, run};

/// Simulates three nodes, their backends and clients on virtual time.
#[derive(Parser)]
struct Arguments {
    /// The first seed; the same seed always does the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds are run, one after the other
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// How many hours each run simulates
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// Prints what happens: virtual time in milliseconds, who, and what
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "nobody waits so long"
    )]
    let length = (arguments.hours * 3_600_000.0) as u64;
    for seed in arguments.seed..arguments.seed.saturating_add(arguments.seeds) {
        let begin = Instant::now();
        let report = run(Options {
            seed,
            length,
            is_traced: arguments.trace,
        });
        print!("{}", report.trace);
        let (lines, digest) = report.digest;
        let hours = std::time::Duration::from_millis(report.length).as_secs_f64() / 3_600.0;
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "seed {seed}: {hours:.2} h with {} faults in {seconds:.1} s; {lines} lines, digest {digest:016x}",
            report.faults
        );
        if let Some(violation) = report.violation {
            println!(
                "seed {seed}: VIOLATED after {} ms: {violation}",
                report.length
            );
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
