//! `cargo xtask bench`.

use std::{ffi::OsString, process::Command};

use anyhow::{Result, bail};

use crate::{build, setup, workspace::Workspace};

/// Fails when a delivery or a watcher has become dearer: the bench's short check, by ratios alone.
pub fn check(workspace: &Workspace) -> Result<()> {
    let built = build::release_and_bench(workspace)?;
    bench(workspace, |bench| {
        bench.arg("check").arg("--tonesa").arg(built.program)
    })
}

/// Builds the release program and the bench, installs what they are compared with, and measures. The results are in
/// `target/bench`. `arguments` are the bench's own.
pub fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--help") {
        // Nobody waits for all the rest to read this.
        let build = ["build", "--release", "--package", "bench"];
        workspace.cargo().args(build).run()?;
        return bench(workspace, |bench| bench.arg("run").arg("--help"));
    }
    let built = build::release_and_bench(workspace)?;
    let folder = workspace.target.join("bench");
    setup::for_bench(workspace, &folder)?;
    bench(workspace, |bench| {
        bench
            .arg("run")
            .arg("--tonesa")
            .arg(built.program)
            .arg("--peers")
            .arg(&folder)
            .arg("--out")
            .arg(&folder)
            .args(arguments)
    })
}

fn bench(
    workspace: &Workspace,
    arguments: impl FnOnce(&mut Command) -> &mut Command,
) -> Result<()> {
    let mut command = Command::new(workspace.target.join("release/bench"));
    let status = arguments(&mut command).status()?;
    if !status.success() {
        bail!("the bench ended with {status}");
    }
    Ok(())
}
