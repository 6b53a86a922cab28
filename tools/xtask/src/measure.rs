//! `cargo xtask measure`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{build, workspace::Workspace};

/// Builds the release program and takes the figures of `docs/performance.md` from it.
pub fn run(workspace: &Workspace) -> Result<()> {
    let built = build::release(workspace)?;
    let status = Command::new("node")
        .arg(workspace.root.join("end2end/measure.mjs"))
        .arg(&built.program)
        .status()?;
    if !status.success() {
        bail!("measuring ended with {status}");
    }
    Ok(())
}
