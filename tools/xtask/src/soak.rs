//! `cargo xtask soak`: builds the program and the people who use it for hours, and runs them.

use std::ffi::{OsStr, OsString};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// A short run with a few people who hardly stay, which shows that everything that is checked can be.
const SHORT: [&str; 6] = ["--minutes", "0.4", "--people", "40", "--stay", "4"];

/// Runs it with the release program.
pub fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    start(workspace, "release", arguments)
}

/// Runs it for seconds with the debug program, which the other tests have compiled already.
pub fn run_shortly(workspace: &Workspace) -> Result<()> {
    start(workspace, "debug", &SHORT)
}

fn start(workspace: &Workspace, profile: &str, arguments: &[impl AsRef<OsStr>]) -> Result<()> {
    let cargo = workspace.native_cargo("build");
    let cargo = cargo.args(["--bin", "tonesa", "--bin", "soak"]);
    let release = (profile == "release").then_some("--release");
    cargo.args(release).run()?;
    let folder = workspace.target.join(profile);
    let soak = workspace.shell.cmd(folder.join("soak"));
    let soak = soak.arg("--program").arg(folder.join("tonesa"));
    soak.args(arguments)
        .run()
        .context("the soak test has failed")
}
