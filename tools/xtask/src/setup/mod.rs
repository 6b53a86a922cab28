//! Makes sure of what building, running and testing need beyond cargo. Each step says what it does, and is passed over
//! when its result is already there.

mod apt;
mod browser;
mod deploy;
mod node;
mod peers;
mod servers;
mod wasm;

use std::path::Path;

use anyhow::{Context, Result};

use crate::{
    tools::{self, Tools},
    workspace::Workspace,
};

pub use browser::Browser;
pub use deploy::Checkers;
pub use wasm::Compiler;

/// What packaging the site needs.
pub struct Toolbox {
    pub compiler: Compiler,
    pub tools: Tools,
}

/// What `cargo xtask run` and `build` need.
pub fn for_building(workspace: &Workspace) -> Result<Toolbox> {
    let compiler = wasm::ensure(workspace)?;
    node::ensure(&workspace.shell)?;
    let tools = tools::install(workspace)?;
    Ok(Toolbox { compiler, tools })
}

/// What the browser tests need besides the program: Playwright and a Chromium.
pub fn for_browser_tests(workspace: &Workspace) -> Result<Browser> {
    node::ensure(&workspace.shell)?;
    browser::install_playwright(workspace)?;
    browser::ensure(workspace)
}

/// What the tests of many nodes need: Redis, MongoDB and S3 servers.
pub fn for_many_nodes(workspace: &Workspace) -> Result<()> {
    servers::ensure(workspace)
}

/// What `cargo xtask bench` compares with, into this folder.
pub fn for_bench(workspace: &Workspace, folder: &Path) -> Result<()> {
    peers::ensure(workspace, folder)
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

/// What reads the files that describe deployments, as far as it can be had here.
pub fn for_deploy_checks(workspace: &Workspace) -> Result<Checkers> {
    node::ensure(&workspace.shell)?;
    deploy::ensure(workspace)
}

/// All of it.
pub fn everything(workspace: &Workspace) -> Result<()> {
    for_checking(workspace)?;
    let toolbox = for_building(workspace)?;
    for_many_nodes(workspace)?;
    for_deploy_checks(workspace)?;
    let browser = for_browser_tests(workspace)?;
    println!("xtask: all is there: {}, {browser}", toolbox.compiler);
    Ok(())
}
