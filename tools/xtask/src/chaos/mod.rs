//! `cargo xtask chaos`: builds what the chaos test needs, and runs it.

pub mod defects;
mod planted;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::Cmd;

use crate::{setup, workspace::Workspace};

/// How long faults happen in the test run: long enough for each kind of fault, and no longer.
const SHORT: f64 = 1.25;

/// What is to be run.
#[derive(Default, clap::Args)]
pub struct Options {
    /// What the faults are drawn from; a random number unless told
    #[arg(long)]
    seed: Option<u64>,
    /// How long faults happen
    #[arg(long)]
    minutes: Option<f64>,
    /// Plant defects into a copy of the project instead, and see that each is found; those whose names contain NAME
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["seed", "minutes", "release"])]
    planted: Option<String>,
    /// Build with all optimisations
    #[arg(long)]
    release: bool,
}

/// Runs the chaos test.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if let Some(wanted) = &options.planted {
        return planted::run(workspace, wanted);
    }
    setup::for_many_nodes(workspace)?;
    let built = Built::build(workspace, &workspace.target, options.release)?;
    let mut command = built.command(workspace, &workspace.target.join("chaos"));
    if let Some(seed) = options.seed {
        command = command.args(["--seed", &seed.to_string()]);
    }
    let minutes = options.minutes.unwrap_or(SHORT);
    let status = command.args(["--minutes", &minutes.to_string()]).run();
    status.context("the chaos test failed; the logs of its processes are in target/chaos")
}

/// The programs of a run.
struct Built {
    node: PathBuf,
    chaos: PathBuf,
}

impl Built {
    fn build(workspace: &Workspace, target: &Path, release: bool) -> Result<Self> {
        let mut cargo = workspace.cargo().args(["build", "--bins"]);
        cargo = cargo.env("CARGO_TARGET_DIR", target);
        cargo = cargo.args(["--package", "server", "--package", "chaos"]);
        let folder = if release {
            cargo = cargo.arg("--release");
            "release"
        } else {
            "debug"
        };
        cargo.run()?;
        let folder = target.join(folder);
        Ok(Self {
            node: folder.join("tonesa"),
            chaos: folder.join("chaos"),
        })
    }

    fn command<'a>(&self, workspace: &'a Workspace, logs: &Path) -> Cmd<'a> {
        let command = workspace.shell.cmd(&self.chaos);
        command
            .arg("--program")
            .arg(&self.node)
            .arg("--keep")
            .arg(logs)
    }
}
