//! `cargo xtask run`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{build, process, site::Effort, workspace::Workspace};

/// Sets up, builds and serves until told to stop.
pub fn serve(workspace: &Workspace, release: bool, arguments: &[OsString]) -> Result<()> {
    let built = if release {
        build::release(workspace)?
    } else {
        build::debug(workspace, Effort::Quick)?
    };
    println!("xtask: starting {}", built.program.display());
    process::become_program(&built.program, arguments)
}
