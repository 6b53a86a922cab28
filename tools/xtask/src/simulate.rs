//! `cargo xtask simulate`: builds the simulation, and runs it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::Cmd;

use crate::{defects, planted, workspace::Workspace};

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

/// Plants the defects whose names contain `wanted`; so many seeds have to find each as it says, with the broker that it
/// says.
fn plant(workspace: &Workspace, wanted: &str) -> Result<()> {
    let defects = defects::named(&workspace.root, defects::SIMULATION, wanted)?;
    planted::run(workspace, &defects, |defect, target| {
        let seeds = defect.field("Seeds")?;
        let redis = match defect.field("Broker") {
            Err(_) => None,
            Ok("redis") => Some("--redis"),
            Ok(other) => bail!("there is no broker {other}"),
        };
        let simulation = build(workspace, target)?;
        Ok(simulation
            .args(["--hours", "0", "--seeds", seeds])
            .args(redis))
    })
}

fn build<'a>(workspace: &'a Workspace, target: &Path) -> Result<Cmd<'a>> {
    let cargo = workspace.native_cargo("build");
    let cargo = cargo.args(["--bin", "simulation"]);
    cargo.env("CARGO_TARGET_DIR", target).run()?;
    Ok(workspace.shell.cmd(target.join("debug/simulation")))
}
