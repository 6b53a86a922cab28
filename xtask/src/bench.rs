//! `cargo xtask bench`.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::{build, setup, workspace::Workspace};

/// Builds the release program and the bench, installs what they are compared with, and measures. The results are in
/// `target/bench`. `arguments` are the bench's own.
pub fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    let built = build::release(workspace)?;
    workspace
        .cargo()
        .args(["build", "--release", "--package", "bench"])
        .run()?;
    let folder = workspace.target.join("bench");
    setup::for_bench(workspace, &folder)?;
    let status = std::process::Command::new(workspace.target.join("release/bench"))
        .arg("run")
        .args(["--tonesa".into(), built.program.into_os_string()])
        .args(["--peers".into(), folder.clone().into_os_string()])
        .args(["--out".into(), folder.into_os_string()])
        .args(arguments)
        .status()?;
    if !status.success() {
        bail!("the bench ended with {status}");
    }
    Ok(())
}
