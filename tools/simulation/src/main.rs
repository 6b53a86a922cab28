//! `cargo run --release -p simulation -- --seed 7`: simulates a cluster, and says whether a property was violated.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use clap::Parser;
use simulation::{BrokerKind, Plan, Property, Report, minimise, replay, report, run};

/// What a violation is told with, also to another process.
const VIOLATED: &str = "VIOLATED ";

/// Simulates three nodes, their backends and clients on virtual time.
#[derive(Parser)]
struct Arguments {
    /// The first seed; the same seed always does the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds are run, one after the other
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// How many hours each run simulates at least
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// Has the nodes connect to a simulated Redis server, instead of simulating the broker
    #[arg(long)]
    redis: bool,
    /// Runs the plan in this file instead, as --minimise has written it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "seeds", "hours", "redis"])]
    plan: Option<PathBuf>,
    /// Prints what happens: virtual time in milliseconds, who, and what
    #[arg(long)]
    trace: bool,
    /// Writes a page that shows what happens in the last round
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// When a property is violated, leaves out all that is not necessary for it, and writes the plan that is left
    #[arg(long, value_name = "FILE")]
    minimise: Option<PathBuf>,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let is_traced = arguments.trace || arguments.report.is_some();
    if let Some(file) = &arguments.plan {
        let plan: Plan = serde_json::from_slice(&fs::read(file)?)?;
        return finish(&arguments, timed(|| replay(&plan, is_traced)));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "nobody waits so long"
    )]
    let length = (arguments.hours * 3_600_000.0) as u64;
    let broker = if arguments.redis {
        BrokerKind::Redis
    } else {
        BrokerKind::Simulated
    };
    for seed in arguments.seed..arguments.seed.saturating_add(arguments.seeds) {
        let report = timed(|| run(seed, broker, length, is_traced));
        let is_last = seed + 1 == arguments.seed.saturating_add(arguments.seeds);
        if report.violation.is_some() || is_last {
            return finish(&arguments, report);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn timed(simulate: impl FnOnce() -> Report) -> Report {
    let begin = Instant::now();
    let report = simulate();
    let hours = Duration::from_millis(report.length).as_secs_f64() / 3_600.0;
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "seed {}: {hours:.2} h with {} faults in {seconds:.1} s, digest {:016x}",
        report.plan.seed, report.faults, report.digest
    );
    report
}

fn finish(arguments: &Arguments, report: Report) -> io::Result<ExitCode> {
    if arguments.trace {
        let mut out = BufWriter::new(io::stdout().lock());
        for line in &report.trace {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
    }
    if let Some(file) = &arguments.report {
        fs::write(file, report::page(&report))?;
        println!("the report is in {}", file.display());
    }
    let Some(violation) = report.violation else {
        return Ok(ExitCode::SUCCESS);
    };
    println!(
        "seed {}: after {} ms {VIOLATED}{violation}",
        report.plan.seed, report.length
    );
    if let Some(file) = &arguments.minimise {
        let violates = |plan: &Plan| violates(plan, violation.property).expect("a plan can be run");
        assert!(violates(&report.plan), "another process does the same");
        let smallest = minimise(report.plan, violates, |plan| {
            eprint!("\r{}    ", size(plan));
        });
        eprintln!();
        write(file, &smallest)?;
        println!("{}: {}", file.display(), size(&smallest));
    }
    Ok(ExitCode::FAILURE)
}

/// Whether a run of this plan violates the property. It gets a process of its own, with which a task ends that spins.
fn violates(plan: &Plan, property: Property) -> io::Result<bool> {
    let mut run = Command::new(env::current_exe()?)
        .args(["--plan", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = run.stdin.take().expect("it is piped");
    input.write_all(&serde_json::to_vec(plan)?)?;
    drop(input);
    let output = run.wait_with_output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    Ok(told.contains(&format!("{VIOLATED}{property:?}:")))
}

fn size(plan: &Plan) -> String {
    let rounds = plan.rounds.iter();
    let faults: usize = rounds.clone().map(|it| it.faults.len()).sum();
    let acts: usize = rounds.map(|it| it.acts.len() + it.calm.len()).sum();
    let rounds = plan.rounds.len();
    format!(
        "seed {}: {rounds} rounds, {faults} faults and {acts} acts",
        plan.seed
    )
}

fn write(file: &Path, plan: &Plan) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(plan)?;
    json.push('\n');
    fs::write(file, json)
}
