//! Where things are, and how to call cargo there.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use xshell::{Cmd, Shell, cmd};

/// The checked-out project and a shell that stands at its root.
pub struct Workspace {
    pub shell: Shell,
    /// The folder of the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Where cargo builds, usually `target` in the root.
    pub target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// Asks cargo where the project that this xtask was built from keeps its things.
    pub fn open() -> Result<Self> {
        let shell = Shell::new()?;
        shell.change_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        let json = cmd!(shell, "cargo metadata --no-deps --format-version 1")
            .quiet()
            .read()?;
        let metadata: Metadata =
            serde_json::from_str(&json).context("reading the answer of `cargo metadata`")?;
        shell.change_dir(&metadata.workspace_root);
        Ok(Self {
            shell,
            root: metadata.workspace_root,
            target: metadata.target_directory,
        })
    }

    /// `cargo`, as the person at the keyboard would call it.
    pub fn cargo(&self) -> Cmd<'_> {
        without_cargo_run(self.shell.cmd("cargo"))
    }
}

/// Hides what `cargo run` told xtask about itself: build scripts that watch these variables would run again on each
/// change between `cargo build` and `cargo xtask`, and its library path belongs to another compiler than Debian's.
pub fn without_cargo_run(mut command: Cmd<'_>) -> Cmd<'_> {
    for (name, _) in env::vars_os().filter(|(name, _)| is_from_cargo_run(&name.to_string_lossy())) {
        command = command.env_remove(name);
    }
    command
}

/// Is this one of the variables that `cargo run` sets for the program it starts?
pub fn is_from_cargo_run(name: &str) -> bool {
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || name == "LD_LIBRARY_PATH"
}
