//! `cargo xtask simulate`: builds the simulation, and runs it.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{defects, planted, workspace::Workspace};

/// The exit status of a simulation that has found something.
const FOUND: i32 = 1;
/// The field of a patch that says how many seeds it takes to find the defect.
const SEEDS: &str = "Simulated seeds";

/// The options of a run.
#[derive(Default, clap::Args)]
pub struct Options {
    /// Plant defects into a copy of the project instead, and see that each is found; those whose names contain NAME
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    planted: Option<String>,
    /// Passed on to the simulation, after `--`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs the simulation.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if let Some(wanted) = &options.planted {
        return plant(workspace, wanted);
    }
    let cargo = workspace.native_cargo("build");
    cargo.args(["--release", "--bin", "simulation"]).run()?;
    let simulation = workspace.target.join("release/simulation");
    let command = workspace.shell.cmd(simulation).args(&options.arguments);
    command.run().context("the simulation has found something")
}

/// Plants the defects whose names contain `wanted`, of the chaos test too, as far as they are in what is simulated.
fn plant(workspace: &Workspace, wanted: &str) -> Result<()> {
    let mut defects = defects::all(&workspace.root, defects::SIMULATION)?;
    defects.extend(defects::all(&workspace.root, defects::CHAOS)?);
    defects.retain(|defect| defect.name.contains(wanted) && defect.field(SEEDS).is_some());
    planted::run(workspace, &defects, |defect, target| {
        let seeds = defect.field(SEEDS).unwrap_or_default();
        let run = build(workspace, target)?.args(["--hours", "0", "--seeds", seeds]);
        match Command::from(run).status()?.code() {
            Some(0) => Ok(false),
            Some(FOUND) => Ok(true),
            _ => bail!("the run itself failed"),
        }
    })
}

fn build<'a>(workspace: &'a Workspace, target: &Path) -> Result<xshell::Cmd<'a>> {
    let cargo = workspace.native_cargo("build");
    let cargo = cargo.args(["--bin", "simulation"]);
    cargo.env("CARGO_TARGET_DIR", target).run()?;
    Ok(workspace.shell.cmd(target.join("debug/simulation")))
}
