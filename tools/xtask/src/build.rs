//! The program and its site folder.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    setup,
    site::{self, Effort},
    workspace::Workspace,
};

/// A built program, with the site folder beside it.
pub struct Built {
    pub program: PathBuf,
    pub site: PathBuf,
}

/// Builds `target/release/tonesa` and `target/release/site`: the two that a deployment copies.
pub fn release(workspace: &Workspace) -> Result<Built> {
    let built = optimised(workspace, &["--package", "server", "--bin", "tonesa"])?;
    println!(
        "xtask: deploy {} with {} beside it",
        built.program.display(),
        built.site.display()
    );
    Ok(built)
}

/// The same, and `target/release/bench`: by one call, since two would build many dependencies twice, once for each
/// one's wishes.
pub fn release_and_bench(workspace: &Workspace) -> Result<Built> {
    let of_server = ["--package", "server", "--bin", "tonesa"];
    let of_bench = ["--package", "bench", "--bin", "bench"];
    optimised(workspace, &[of_server, of_bench].concat())
}

fn optimised(workspace: &Workspace, what: &[&str]) -> Result<Built> {
    let toolbox = setup::for_building(workspace)?;
    let folder = workspace.target.join("release");
    let site = site::package(workspace, &toolbox, &folder, Effort::Optimised)?;
    let build = workspace.cargo().args(["build", "--release"]);
    build.args(what).run()?;
    Ok(Built {
        program: folder.join("tonesa"),
        site,
    })
}

/// The same in `target/debug`: quick to build again, but for the browser's part with [`Effort::Optimised`].
pub fn debug(workspace: &Workspace, effort: Effort) -> Result<Built> {
    let toolbox = setup::for_building(workspace)?;
    let folder = workspace.target.join("debug");
    let site = site::package(workspace, &toolbox, &folder, effort)?;
    workspace
        .cargo()
        .args(["build", "--package", "server", "--bin", "tonesa"])
        .run()?;
    Ok(Built {
        program: folder.join("tonesa"),
        site,
    })
}

/// Builds the program that starts the servers of the tests of many nodes.
pub fn testbed(workspace: &Workspace) -> Result<PathBuf> {
    workspace
        .cargo()
        .args(["build", "--package", "testbed", "--bin", "testbed"])
        .run()?;
    Ok(workspace.target.join("debug/testbed"))
}
