//! The programs that package a release.

use std::path::PathBuf;

use anyhow::Result;

use super::install;
use crate::workspace::Workspace;

/// What packages a release.
pub struct Packagers {
    pub deb: PathBuf,
    pub cyclonedx: PathBuf,
}

pub fn ensure(workspace: &Workspace) -> Result<Packagers> {
    Ok(Packagers {
        deb: install::ensure_cargo_program(workspace, "cargo-deb", "3.8.0")?,
        cyclonedx: install::ensure_cargo_program(workspace, "cargo-cyclonedx", "0.5.9")?,
    })
}
