//! Where things are, and how to call cargo there.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use xshell::{Cmd, Shell, cmd};

/// All packages but `frontend`: in one build with it cargo would unite the features of both sides, and the server's
/// pages would be rendered by a Leptos that believes it is in a browser.
const NATIVE: [&str; 3] = ["--workspace", "--exclude", "frontend"];

/// The checked-out project and a shell in its root.
pub struct Workspace {
    pub shell: Shell,
    /// The folder of the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Where cargo builds, usually `target` in the root.
    pub target: PathBuf,
    pub packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Deserialize)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

impl Workspace {
    /// Asks cargo about the project that this xtask was built from.
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
            packages: metadata.packages,
        })
    }

    /// `cargo`, as the person at the keyboard would call it.
    pub fn cargo(&self) -> Cmd<'_> {
        without_cargo_run(self.shell.cmd("cargo"))
    }

    /// `cargo <subcommand>` for what runs on this machine. Every debug build selects the same packages, since cargo
    /// unites the features of those that are selected: with `--package server` alone `serde`, `tower` and others have
    /// fewer features, and all that depends on them would be compiled a second time.
    pub fn native_cargo(&self, subcommand: &str) -> Cmd<'_> {
        self.cargo().arg(subcommand).args(NATIVE)
    }
}

/// Hides what `cargo run` told xtask about itself: build scripts that watch these variables would run again on each
/// change between `cargo build` and `cargo xtask`, and its library path belongs to another compiler than Debian's.
pub fn without_cargo_run(command: Cmd<'_>) -> Cmd<'_> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let names = names.filter(|name| {
        name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST_")
            || name == "LD_LIBRARY_PATH"
    });
    names.fold(command, Cmd::env_remove)
}
