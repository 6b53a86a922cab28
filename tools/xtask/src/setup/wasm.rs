//! A compiler for `wasm32-unknown-unknown`: rustup's standard library, or Debian's compiler, which builds its own.

use std::path::Path;

use anyhow::{Result, bail};
use xshell::{Cmd, Shell, cmd};

use super::{apt, install::is_on_path};
use crate::workspace::{Workspace, without_cargo_run};

pub const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/// How the browser's part is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compiler {
    /// The compiler of everything else; its standard library for the target is installed.
    Usual,
    /// Debian's, which has no standard library for the target and builds it from its source package.
    Debian,
}

impl Compiler {
    /// `cargo <subcommand>` for the target.
    pub fn cargo<'a>(self, workspace: &'a Workspace, subcommand: &str) -> Cmd<'a> {
        match self {
            Self::Usual => workspace.cargo().args([subcommand, "--target", TARGET]),
            // A stable compiler accepts `-Zbuild-std` only if RUSTC_BOOTSTRAP is set.
            Self::Debian => without_cargo_run(workspace.shell.cmd("/usr/bin/cargo"))
                .args([
                    subcommand,
                    "-Zbuild-std=std,panic_abort",
                    "--target",
                    TARGET,
                ])
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", "/usr/bin/rustc")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-22"),
        }
    }
}

/// Makes sure of one of the compilers.
pub fn ensure(workspace: &Workspace) -> Result<Compiler> {
    let shell = &workspace.shell;
    if has_standard_library(shell) || add_with_rustup(shell) {
        return Ok(Compiler::Usual);
    }
    if !is_debian_ready(shell) && apt::is_available(shell) {
        apt::install(shell, &DEBIAN_PACKAGES)?;
    }
    if is_debian_ready(shell) {
        return Ok(Compiler::Debian);
    }
    bail!(
        "no compiler for {TARGET}: install rustup (https://rustup.rs) and run `rustup target add {TARGET}`, \
         or on Debian, as root, `apt-get install {}`",
        DEBIAN_PACKAGES.join(" ")
    )
}

fn has_standard_library(shell: &Shell) -> bool {
    let Ok(folder) = cmd!(shell, "rustc --print target-libdir --target {TARGET}")
        .quiet()
        .ignore_stderr()
        .read()
    else {
        return false;
    };
    Path::new(&folder).read_dir().is_ok_and(|mut files| {
        files.any(|file| {
            file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
    })
}

fn add_with_rustup(shell: &Shell) -> bool {
    if !is_on_path("rustup") {
        return false;
    }
    println!("xtask: adding the target {TARGET} with rustup");
    match cmd!(shell, "rustup target add {TARGET}").run() {
        Ok(()) => has_standard_library(shell),
        Err(error) => {
            println!("xtask: rustup could not add it ({error}); looking for another way");
            false
        }
    }
}

fn is_debian_ready(shell: &Shell) -> bool {
    is_on_path("dpkg-query") && apt::are_installed(shell, &DEBIAN_PACKAGES)
}
