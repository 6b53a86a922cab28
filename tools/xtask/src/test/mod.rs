//! `cargo xtask test`: all that must hold before a change is taken, the quick checks first.

mod browser;
mod deploy;
mod rust;
mod timing;

use std::ffi::OsString;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{bench, chaos, setup, tidy, workspace::Workspace};
use timing::Timings;

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
    /// Unit and integration tests
    Unit,
    /// The site's size, then Playwright with real Chromium against the real program
    Browser,
    /// Three nodes, 30 clients that talk, and each kind of fault once: nothing may be lost
    Chaos,
    /// The release program's deliveries and idle watchers are no dearer than they were, beside a bare program's
    Speed,
}

const ALL: [Stage; 8] = [
    Stage::Tidy,
    Stage::Fmt,
    Stage::Clippy,
    Stage::Deploy,
    Stage::Unit,
    Stage::Browser,
    Stage::Chaos,
    Stage::Speed,
];

impl Stage {
    fn run(self, workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
        match self {
            Self::Tidy => tidy::check(workspace),
            Self::Fmt => rust::format(workspace),
            Self::Clippy => rust::lint(workspace),
            Self::Deploy => deploy::check(workspace),
            Self::Unit => rust::test(workspace, arguments),
            Self::Browser => browser::test(workspace, arguments),
            Self::Chaos => chaos::run(workspace, &chaos::Options::default()),
            Self::Speed => bench::check(workspace),
        }
    }

    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Runs every stage, or the one that is asked for, and stops at the first that fails. Tells at the end what took how
/// long, after a failure too.
pub fn run(workspace: &Workspace, only: Option<Stage>, arguments: &[OsString]) -> Result<()> {
    let mut timings = Timings::default();
    let result = run_stages(workspace, only, arguments, &mut timings);
    println!("{timings}");
    result
}

fn run_stages(
    workspace: &Workspace,
    only: Option<Stage>,
    arguments: &[OsString],
    timings: &mut Timings,
) -> Result<()> {
    if only.is_none() {
        // First of all, so that nobody waits for the tests to learn that there is no browser.
        timings.measure("setup", || setup::everything(workspace))?;
    }
    for stage in only.map_or(ALL.to_vec(), |only| vec![only]) {
        let name = stage.name();
        println!("xtask: stage {name}");
        timings
            .measure(&name, || stage.run(workspace, arguments))
            .with_context(|| {
                format!("stage {name} failed; `cargo xtask test --only {name}` runs it alone")
            })?;
    }
    Ok(())
}
