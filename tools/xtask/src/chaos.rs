//! `cargo xtask chaos`: builds what the chaos test needs, and runs it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::Cmd;

use crate::{defects, planted, setup, workspace::Workspace};

/// The options of a run.
#[derive(Default, clap::Args)]
pub struct Options {
    /// The random seed [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// The time during which faults happen, in minutes [default: 1.25, for each kind of fault]
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
        return plant(workspace, wanted);
    }
    setup::for_many_nodes(workspace)?;
    let built = Built::build(workspace, &workspace.target, options.release)?;
    let mut command = built.command(workspace, &workspace.target.join("chaos"));
    if let Some(seed) = options.seed {
        command = command.args(["--seed", &seed.to_string()]);
    }
    if let Some(minutes) = options.minutes {
        command = command.args(["--minutes", &minutes.to_string()]);
    }
    command
        .run()
        .context("the chaos test failed; the logs of its processes are in target/chaos")
}

/// Plants the defects whose names contain `wanted`; the chaos test has to find each.
fn plant(workspace: &Workspace, wanted: &str) -> Result<()> {
    setup::for_many_nodes(workspace)?;
    let defects = defects::named(&workspace.root, defects::CHAOS, wanted)?;
    planted::run(workspace, &defects, |defect, target| {
        let (seed, minutes) = (defect.field("Seed")?, defect.field("Minutes")?);
        let built = Built::build(workspace, target, false)?;
        let run = built.command(workspace, &workspace.target.join("planted/logs"));
        Ok(run.args(["--seed", seed, "--minutes", minutes]))
    })
}

/// The programs of a run.
struct Built {
    node: PathBuf,
    chaos: PathBuf,
}

impl Built {
    fn build(workspace: &Workspace, target: &Path, is_release: bool) -> Result<Self> {
        let cargo = workspace.native_cargo("build");
        let cargo = cargo.args(["--bin", "tonesa", "--bin", "chaos"]);
        let release = is_release.then_some("--release");
        cargo.args(release).env("CARGO_TARGET_DIR", target).run()?;
        let folder = target.join(if is_release { "release" } else { "debug" });
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
