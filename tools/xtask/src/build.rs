//! The program and its site folder, and the commands that only build and start something.

use std::{env, ffi::OsString, os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use xshell::{Cmd, cmd};

use crate::{
    setup::{self, Browser},
    site::{self, Effort},
    workspace::{Workspace, without_cargo_run},
};

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
    let (program, site) = (built.program.display(), built.site.display());
    println!("xtask: deploy {program} with {site} beside it");
    Ok(built)
}

/// The same and `target/release/bench`, by one call, since two would build many dependencies twice with other features.
fn release_and_bench(workspace: &Workspace) -> Result<Built> {
    let packages = ["--package", "server", "--package", "bench"];
    let programs = ["--bin", "tonesa", "--bin", "bench"];
    optimised(workspace, &[packages, programs].concat())
}

fn optimised(workspace: &Workspace, what: &[&str]) -> Result<Built> {
    let cargo = workspace.cargo().args(["build", "--release"]).args(what);
    build(workspace, cargo, "release", Effort::Optimised)
}

/// Builds the program without optimisations, in `target/debug`; the frontend as `effort` says.
pub fn debug(workspace: &Workspace, effort: Effort) -> Result<Built> {
    let cargo = workspace.native_cargo("build").args(["--bin", "tonesa"]);
    build(workspace, cargo, "debug", effort)
}

/// Compiles the frontend, then the program by `cargo`, while the site is packaged.
fn build(workspace: &Workspace, cargo: Cmd<'_>, profile: &str, effort: Effort) -> Result<Built> {
    let toolbox = setup::for_building(workspace)?;
    let folder = workspace.target.join(profile);
    let module = site::compile(workspace, toolbox.compiler, effort)?;
    let cargo = cargo.env(COMMIT, commit(workspace));
    eprintln!("$ {cargo}");
    let mut cargo = Command::from(cargo).spawn().context("starting cargo")?;
    let site = site::package(workspace, &toolbox, &module, &folder, effort);
    let status = cargo.wait()?;
    ensure!(status.success(), "cargo ended with {status}");
    Ok(Built {
        site: site?,
        program: folder.join("tonesa"),
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

/// Builds a program that the browser tests run beside the server.
pub fn debug_program(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let build = workspace.native_cargo("build");
    build.args(["--bin", name]).run()?;
    Ok(workspace.target.join("debug").join(name))
}

/// `cargo xtask run`: serves until it is stopped.
pub fn serve(workspace: &Workspace, is_release: bool, arguments: &[OsString]) -> Result<()> {
    let built = if is_release {
        release(workspace)?
    } else {
        debug(workspace, Effort::Quick)?
    };
    println!("xtask: starting {}", built.program.display());
    // Becomes the program, so that Ctrl-C, SIGTERM and the exit status are the program's own.
    let program = without_cargo_run(workspace.shell.cmd(&built.program)).args(arguments);
    let error = Command::from(program).exec();
    Err(error).with_context(|| format!("starting {}", built.program.display()))
}

/// `cargo xtask measure`.
pub fn measure(workspace: &Workspace) -> Result<()> {
    let browser = setup::for_browser_tests(workspace)?;
    let program = release(workspace)?.program;
    let mut measure = cmd!(workspace.shell, "node end2end/measure.mjs {program}");
    if let Browser::Installed(path) = browser {
        measure = measure.env("CHROMIUM", path);
    }
    Ok(measure.run()?)
}

/// `cargo xtask bench`: measures with the bench's own arguments, into `target/bench`.
pub fn bench(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    let bench = workspace.target.join("release/bench");
    let bench = workspace.shell.cmd(bench).arg("run");
    if arguments.iter().any(|argument| argument == "--help") {
        // Without building all the rest.
        let build = ["build", "--release", "--package", "bench"];
        workspace.cargo().args(build).run()?;
        return Ok(bench.arg("--help").run()?);
    }
    let built = release_and_bench(workspace)?;
    let folder = workspace.target.join("bench");
    setup::for_bench(workspace, &folder)?;
    let bench = bench.arg("--tonesa").arg(built.program);
    let bench = bench.arg("--peers").arg(&folder).arg("--out").arg(&folder);
    Ok(bench.args(arguments).run()?)
}

/// The bench's short check: fails when a delivery or an idle watcher costs more than it did, relative to a bare
/// program.
pub fn check_speed(workspace: &Workspace) -> Result<()> {
    let program = release_and_bench(workspace)?.program;
    let bench = workspace.target.join("release/bench");
    Ok(cmd!(workspace.shell, "{bench} check --tonesa {program}").run()?)
}
