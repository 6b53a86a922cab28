//! `cargo xtask fuzz`: builds the targets of `tools/fuzz` with libFuzzer, and runs them.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::PathBuf,
    process::{self, Command},
    sync::Mutex,
    thread,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{setup, workspace::Workspace};

/// How long each target runs in the stage `fuzz`: long enough to find again what is found quickly.
const DEFAULT_SECONDS: u32 = 60;
/// An input that takes longer fails, in seconds.
const TIMEOUT: u32 = 20;
/// A target that uses more memory fails, in MiB.
const MEMORY: u32 = 2_048;
/// How much of a failed target's output is printed, in lines.
const TAIL: usize = 40;

/// The options of a run.
#[derive(Default, clap::Args)]
pub struct Options {
    /// How long each target runs, in seconds [default: 60]
    #[arg(long)]
    seconds: Option<u32>,
    /// Build the project's own code with optimisations, which takes minutes: for long runs
    #[arg(long)]
    release: bool,
    /// The targets [default: all]
    targets: Vec<String>,
    /// Passed on to libFuzzer, after `--`
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

/// What a line of the output begins with that says where a dependency panics (`tools/fuzz/src/lib.rs`).
const DEPENDENCY_PANIC: &str = "a dependency panics at ";

/// What is missing where nothing can be fuzzed.
const NEEDED: &str =
    "fuzzing needs Linux and a C++ compiler with libstdc++ (Debian: apt install g++)";

/// The stage `fuzz`: all targets for a minute each. Says so if that is not possible on this machine, and fails with `CI`
/// set.
pub fn test(workspace: &Workspace) -> Result<()> {
    if !setup::for_fuzzing(workspace)? {
        ensure!(env::var_os("CI").is_none(), NEEDED);
        println!("xtask: nothing is fuzzed: {NEEDED}");
        return Ok(());
    }
    run(workspace, &Options::default())
}

/// Runs the targets, as many at once as there are processors.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    ensure!(setup::for_fuzzing(workspace)?, NEEDED);
    let fuzzer = Fuzzer {
        program: build(workspace, options.release)?,
        folder: workspace.target.join("fuzz"),
        inputs: workspace.root.join("tools/fuzz/inputs"),
        seconds: options.seconds.unwrap_or(DEFAULT_SECONDS),
        arguments: options.arguments.clone(),
    };
    let mut targets = fuzzer.targets()?;
    if !options.targets.is_empty() {
        for wanted in &options.targets {
            ensure!(
                targets.contains(wanted),
                "there is no target {wanted}, only {}",
                targets.join(", ")
            );
        }
        targets.clone_from(&options.targets);
    }
    targets.reverse();
    let waiting = Mutex::new(targets);
    let next = || waiting.lock().ok()?.pop();
    let work = || {
        while let Some(target) = next() {
            println!("xtask: fuzz {target:<9} {}", fuzzer.run(&target)?);
        }
        anyhow::Ok(())
    };
    let processors = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        let results = workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker ends"));
        results.collect()
    })
}

/// Compiles the program with the targets. What is set here concerns the project's own crates only.
fn build(workspace: &Workspace, is_release: bool) -> Result<PathBuf> {
    let build = workspace.native_cargo("build");
    let build = build.args(["--bin", "fuzz", "--features", "fuzz/libfuzzer"]);
    let mut build = build.args(["--config", "profile.dev.debug=false"]);
    if is_release {
        for package in ["app", "fuzz", "server"] {
            build = build.arg("--config");
            build = build.arg(format!("profile.dev.package.{package}.opt-level=2"));
        }
    }
    let wrapper = workspace.root.join("tools/fuzz/rustc.sh");
    build.env("RUSTC_WORKSPACE_WRAPPER", wrapper).run()?;
    Ok(workspace.target.join("debug/fuzz"))
}

struct Fuzzer {
    program: PathBuf,
    folder: PathBuf,
    inputs: PathBuf,
    seconds: u32,
    arguments: Vec<OsString>,
}

impl Fuzzer {
    /// The names of all targets.
    fn targets(&self) -> Result<Vec<String>> {
        let output = Command::new(&self.program)
            .env_remove("FUZZ_TARGET")
            .output()?;
        let names = String::from_utf8(output.stdout)?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// Runs a target, and returns how far it came.
    fn run(&self, target: &str) -> Result<String> {
        let folder = self.folder.join(target);
        let (corpus, seeds, log) = (
            folder.join("corpus"),
            folder.join("seeds"),
            folder.join("log"),
        );
        let kept = self.inputs.join(target);
        let temporary = temporary_folder().join(format!("tonesa-fuzz-{}-{target}", process::id()));
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&temporary)?;
        let status = Command::new(&self.program)
            .env("FUZZ_TARGET", target)
            .env("FUZZ_SEEDS", &seeds)
            .env("TMPDIR", &temporary)
            .args([&corpus, &seeds])
            .args(kept.is_dir().then_some(&kept))
            .arg(format!("-artifact_prefix={}/", folder.display()))
            .arg(format!("-max_total_time={}", self.seconds))
            .arg(format!("-timeout={TIMEOUT}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .args(["-print_final_stats=1", "-use_value_profile=1"])
            .args(&self.arguments)
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?)
            .status()?;
        // libFuzzer ends a process without clearing up.
        fs::remove_dir_all(&temporary)?;
        let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if !status.success() {
            let lines: Vec<_> = output.lines().collect();
            eprintln!("{}", lines[lines.len().saturating_sub(TAIL)..].join("\n"));
            let folder = folder.display();
            bail!(
                "an input of {target} fails: it is in {folder}; once mended, keep it in tools/fuzz/inputs/{target}"
            );
        }
        progress(&output).with_context(|| format!("reading {}", log.display()))
    }
}

/// A folder in memory if there is one: some targets write a few files for each input.
fn temporary_folder() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    if shared.is_dir() {
        shared
    } else {
        env::temp_dir()
    }
}

/// What libFuzzer's output says at its end: how many inputs were tried, and how much of the code they reach.
fn progress(output: &str) -> Option<String> {
    let number = |line: &str, name: &str| {
        let (_, rest) = line.split_once(name)?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    };
    let mut lines = output.lines().rev();
    let edges = lines.clone().find_map(|line| number(line, " cov: "))?;
    let features = lines.clone().find_map(|line| number(line, " ft: "))?;
    let runs = lines.find_map(|line| number(line, "stat::number_of_executed_units:"))?;
    let panics = output
        .lines()
        .filter(|line| line.starts_with(DEPENDENCY_PANIC));
    Some(format!(
        "{runs:>10} inputs, {edges} edges, {features} features, places with panics of dependencies: {}",
        panics.count()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_output_is_read() {
        let output = "#2\tINITED cov: 3 ft: 4 corp: 1/1b\n#16\tDONE   cov: 57 ft: 123 corp: 9/2Kb\n\
                      a dependency panics at png/src/decoder.rs:7:9\n\
                      Done 16 runs in 1 second(s)\nstat::number_of_executed_units: 16\n";
        let expected =
            "        16 inputs, 57 edges, 123 features, places with panics of dependencies: 1";
        assert_eq!(progress(output).as_deref(), Some(expected));
        assert_eq!(progress("INFO: Seed: 1"), None);
    }
}
