//! `cargo xtask test`: all that must hold before a change is accepted, the quick checks first.

mod browser;
mod deploy;
mod engines;

use std::{ffi::OsString, time::Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{
    build, chaos, fuzz, setup, setup::Compiler, site::Effort, soak, tidy, workspace::Workspace,
};

/// A part of the test run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The project's own rules: who may import what, file lengths, the browser's dependency tree
    Tidy,
    /// rustfmt
    Fmt,
    /// Clippy, for this machine and for WASM; warnings are errors
    Clippy,
    /// Dockerfile, compose.yaml and deploy/, read by programs that know their formats
    Deploy,
    /// Licences, versions and origins of all dependencies, by deny.toml
    Deny,
    /// Unit and integration tests
    Unit,
    /// Each target of tools/fuzz for a minute
    Fuzz,
    /// The site's size, then Playwright with real Chromium against the real program
    Browser,
    /// A few browser tests in Firefox and WebKit, as far as they can be installed (in CI they must be)
    Engines,
    /// Three nodes, 30 clients that write, and each kind of fault once: nothing may be lost
    Chaos,
    /// Forty people who come, talk and leave, for half a minute: the node lets go of all that they held
    Soak,
    /// The release program's deliveries and idle watchers cost no more than they did, compared with a bare program
    Speed,
}

/// Formatting, lints, unit tests and one browser test, with the arguments of their test runners.
const QUICK: [(Stage, &[&str]); 4] = [
    (Stage::Fmt, &[]),
    (Stage::Clippy, &[]),
    // The integration tests take long to link.
    (Stage::Unit, &["--lib", "--bins"]),
    (Stage::Browser, &["smoke.spec.ts"]),
];

/// Which stages are run.
#[derive(clap::Args)]
pub struct Options {
    /// Run this stage alone
    #[arg(long, value_enum)]
    only: Option<Stage>,
    /// Check only formatting, lints, unit tests and one browser test
    #[arg(long, conflicts_with = "only")]
    quick: bool,
    /// Passed on to the test runner of the stages `unit`, `browser` and `engines`, after `--`
    #[arg(last = true, requires = "only")]
    arguments: Vec<OsString>,
}

/// Runs the stages and stops at the first that fails. Prints at the end what took how long, after a failure too.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let stages: Vec<(Stage, Vec<OsString>)> = if let Some(only) = options.only {
        vec![(only, options.arguments.clone())]
    } else if options.quick {
        let quick = QUICK.iter();
        quick
            .map(|(stage, arguments)| (*stage, arguments.iter().map(Into::into).collect()))
            .collect()
    } else {
        let all = Stage::value_variants().iter();
        all.map(|stage| (*stage, Vec::new())).collect()
    };
    let effort = if options.quick {
        Effort::Quick
    } else {
        Effort::Optimised
    };
    let begin = Instant::now();
    if options.only.is_none() && !options.quick {
        // First, so that nobody waits for the tests to learn that there is no browser.
        setup::everything(workspace)?;
    }
    let mut times = Vec::new();
    let mut result = Ok(());
    for (stage, arguments) in stages {
        let value = stage
            .to_possible_value()
            .context("every stage has a name")?;
        let name = value.get_name();
        println!("xtask: stage {name}");
        let begin = Instant::now();
        result = stage.run(workspace, &arguments, effort).with_context(|| {
            format!("stage {name} failed; `cargo xtask test --only {name}` runs it alone")
        });
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        let seconds = begin.elapsed().as_secs_f64();
        times.push(format!("xtask: {name:<8} {verdict} in {seconds:>6.1} s"));
        if result.is_err() {
            break;
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    times.push(format!("xtask: all, with set-up,  in {seconds:>6.1} s"));
    println!("{}", times.join("\n"));
    result
}

impl Stage {
    fn run(self, workspace: &Workspace, arguments: &[OsString], effort: Effort) -> Result<()> {
        match self {
            Self::Tidy => tidy::check(workspace),
            Self::Fmt => format(workspace),
            Self::Clippy => lint(workspace),
            Self::Deploy => deploy::check(workspace),
            Self::Deny => check_dependencies(workspace),
            Self::Unit => unit_tests(workspace, arguments),
            Self::Fuzz => fuzz::test(workspace),
            Self::Browser => browser::test(workspace, arguments, effort),
            Self::Engines => engines::test(workspace, arguments, effort),
            Self::Chaos => chaos::run(workspace, &chaos::Options::default()),
            Self::Soak => soak::run_shortly(workspace),
            Self::Speed => build::check_speed(workspace),
        }
    }
}

fn format(workspace: &Workspace) -> Result<()> {
    setup::for_checking(workspace)?;
    Ok(workspace.cargo().args(["fmt", "--all", "--check"]).run()?)
}

fn lint(workspace: &Workspace) -> Result<()> {
    let toolbox = setup::for_building(workspace)?;
    setup::for_checking(workspace)?;
    let native = workspace.native_cargo("clippy").arg("--all-targets");
    // The program that is linked with libFuzzer is no part of other builds.
    let native = native.args(["--features", "fuzz/program"]);
    native.args(["--", "--deny", "warnings"]).run()?;
    if toolbox.compiler == Compiler::Debian {
        println!("xtask: no Clippy for WASM here: its standard library is built by another rustc");
        return Ok(());
    }
    let wasm = toolbox.compiler.cargo(workspace, "clippy");
    let wasm = wasm.args(["--package", "frontend", "--package", "app"]);
    let wasm = wasm.args(["--features", "app/hydrate"]);
    Ok(wasm.args(["--", "--deny", "warnings"]).run()?)
}

/// Without the advisories, whose database is downloaded: `cargo deny check advisories` by hand.
fn check_dependencies(workspace: &Workspace) -> Result<()> {
    let deny = setup::for_dependency_checks(workspace)?;
    let deny = workspace.shell.cmd(deny).args(["--locked", "check"]);
    // An exception that is not needed any more is only a warning.
    let deny = deny.args(["--deny", "warnings"]);
    Ok(deny.args(["licenses", "bans", "sources"]).run()?)
}

fn unit_tests(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    setup::for_many_nodes(workspace)?;
    setup::for_api_test(workspace)?;
    Ok(workspace.native_cargo("test").args(arguments).run()?)
}
