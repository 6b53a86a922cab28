//! The program and its site folder.

use std::env;
use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::{setup, site, workspace::Workspace};

/// The variable by which the program learns the commit that it is built from.
const COMMIT: &str = "TONESA_COMMIT";

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
    let site = site::package(workspace, &toolbox, &folder)?;
    let build = workspace.cargo().args(["build", "--release"]);
    build.args(what).env(COMMIT, commit(workspace)).run()?;
    Ok(Built {
        program: folder.join("tonesa"),
        site,
    })
}

/// The same for a person's own machine: quick to build again, in `target/debug`.
pub fn debug(workspace: &Workspace) -> Result<Built> {
    let toolbox = setup::for_building(workspace)?;
    let folder = workspace.target.join("debug");
    let site = site::package(workspace, &toolbox, &folder)?;
    workspace
        .cargo()
        .args(["build", "--package", "server", "--bin", "tonesa"])
        .env(COMMIT, commit(workspace))
        .run()?;
    Ok(Built {
        program: folder.join("tonesa"),
        site,
    })
}

/// The commit that the variable names, as in a container's build, else Git; empty where neither is known.
fn commit(workspace: &Workspace) -> String {
    if let Ok(commit) = env::var(COMMIT) {
        return commit;
    }
    let git = cmd!(workspace.shell, "git rev-parse --short=12 HEAD");
    git.quiet().ignore_stderr().read().unwrap_or_default()
}

/// Builds the program that starts the servers of the tests of many nodes.
pub fn testbed(workspace: &Workspace) -> Result<PathBuf> {
    workspace
        .cargo()
        .args(["build", "--package", "testbed", "--bin", "testbed"])
        .run()?;
    Ok(workspace.target.join("debug/testbed"))
}
