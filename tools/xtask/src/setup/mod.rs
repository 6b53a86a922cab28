//! Makes sure of what building, running and testing need beyond cargo. Each step says what it does, and is skipped when
//! its result is already there.

mod apt;
mod browser;
mod deploy;
mod engines;
pub mod install;
mod peers;
mod python;
mod release;
mod servers;
mod wasm;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{
    tools::{self, Tools},
    workspace::Workspace,
};

pub use browser::Browser;
pub use deploy::Checkers;
pub use engines::Engines;
pub use peers::ensure as for_bench;
pub use python::{for_api_test, for_examples};
pub use release::{Packagers, ensure as for_release};
pub use servers::ensure as for_many_nodes;
pub use wasm::{Compiler, TARGET};

/// What esbuild and Playwright ask for.
const OLDEST_NODE: u32 = 18;

/// What packaging the site needs.
pub struct Toolbox {
    pub compiler: Compiler,
    pub tools: Tools,
}

/// What `cargo xtask run` and `build` need.
pub fn for_building(workspace: &Workspace) -> Result<Toolbox> {
    let compiler = wasm::ensure(workspace)?;
    ensure_node(&workspace.shell)?;
    let tools = tools::install(workspace)?;
    Ok(Toolbox { compiler, tools })
}

/// What the browser tests need besides the program.
pub fn for_browser_tests(workspace: &Workspace) -> Result<Browser> {
    ensure_node(&workspace.shell)?;
    browser::install_playwright(workspace)?;
    browser::ensure(workspace)
}

/// The engines besides Chromium, as far as they can be installed here.
pub fn for_engine_tests(workspace: &Workspace) -> Result<Engines> {
    ensure_node(&workspace.shell)?;
    browser::install_playwright(workspace)?;
    engines::ensure(workspace)
}

/// `rustfmt` and `clippy`, which rust-toolchain.toml asks rustup for.
pub fn for_checking(workspace: &Workspace) -> Result<()> {
    for (name, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        workspace.cargo().args([name, "--version"]).quiet().ignore_stdout().run().with_context(|| {
            format!("`cargo {name}` is missing: `rustup component add {component}`, or your system's package of it")
        })?;
    }
    Ok(())
}

/// What checks the deployment files, as far as it can be installed here.
pub fn for_deploy_checks(workspace: &Workspace) -> Result<Checkers> {
    ensure_node(&workspace.shell)?;
    deploy::ensure(workspace)
}

/// Whether libFuzzer can be compiled and linked here.
pub fn for_fuzzing(workspace: &Workspace) -> Result<bool> {
    Ok(cfg!(target_os = "linux") && install::ensure_program(&workspace.shell, "c++", "g++")?)
}

/// `cargo deny`, which checks licences and versions of dependencies.
pub fn for_dependency_checks(workspace: &Workspace) -> Result<PathBuf> {
    install::ensure_cargo_program(workspace, "cargo-deny", "0.20.2")
}

/// All of it.
pub fn everything(workspace: &Workspace) -> Result<()> {
    for_checking(workspace)?;
    let toolbox = for_building(workspace)?;
    for_many_nodes(workspace)?;
    for_deploy_checks(workspace)?;
    for_api_test(workspace)?;
    for_examples(workspace)?;
    let browser = for_browser_tests(workspace)?;
    let engines = for_engine_tests(workspace)?;
    for_fuzzing(workspace)?;
    for_dependency_checks(workspace)?;
    println!(
        "xtask: all is there; compiler for WASM: {:?}, browser: {browser:?}, {engines:?}",
        toolbox.compiler
    );
    Ok(())
}

/// Node and npm, which run the packaging tools and Playwright.
fn ensure_node(shell: &Shell) -> Result<()> {
    let is_ready = || {
        let major = install::major_version(cmd!(shell, "node --version"), "v");
        major.is_some_and(|major| major >= OLDEST_NODE) && install::is_on_path("npm")
    };
    if is_ready() {
        return Ok(());
    }
    for (program, package) in [("node", "nodejs"), ("npm", "npm")] {
        install::ensure_program(shell, program, package)?;
    }
    if !is_ready() {
        bail!(
            "Node {OLDEST_NODE} or newer and npm must be on PATH: install them from https://nodejs.org or your system"
        );
    }
    Ok(())
}
