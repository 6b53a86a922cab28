//! The browser tests: Playwright in `end2end`, real Chromium, the real program.

use std::{
    ffi::OsString,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    build,
    setup::{self, Browser},
    site::Effort,
    tidy,
    workspace::Workspace,
};

/// Builds program and site, checks the site's size, then runs Playwright.
///
/// The program is the debug build: most of it is there from the unit tests (40 s instead of minutes for the release
/// build's own compilation of everything), overflows and broken assertions show in it, and pages and pictures are quick
/// enough since the decoders are optimised in it too.
pub fn test(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    let browser = setup::for_browser_tests(workspace)?;
    setup::for_many_nodes(workspace)?;
    let built = build::debug(workspace, Effort::Optimised)?;
    let testbed = build::testbed(workspace)?;
    tidy::check_size(&built.site)?;
    let folder = workspace.root.join("end2end");
    check_types(&folder)?;
    let mut command = playwright(&folder, &browser);
    command
        .env("TONESA_BINARY", &built.program)
        .env("TESTBED_BINARY", testbed)
        .args(arguments);
    run_on_leash(command, &workspace.root.join("tools/testbed/leash.sh"))
}

/// Playwright itself compiles TypeScript without looking at the types.
fn check_types(folder: &Path) -> Result<()> {
    let status = Command::new("node")
        .arg("node_modules/typescript/bin/tsc")
        .arg("--noEmit")
        .current_dir(folder)
        .status()?;
    if !status.success() {
        bail!("the browser tests' types do not fit; see above");
    }
    Ok(())
}

fn playwright(folder: &Path, browser: &Browser) -> Command {
    let mut command = Command::new("node");
    command
        .arg("node_modules/@playwright/test/cli.js")
        .arg("test")
        .current_dir(folder);
    if let Browser::Installed(path) = browser {
        command.env("CHROMIUM", path);
    }
    command
}

/// Runs the command to its end. Should xtask be killed meanwhile, its end of the leash closes and the command is ended
/// too; the servers under test hang on leashes of their own.
fn run_on_leash(mut command: Command, script: &Path) -> Result<()> {
    let mut runner = command.spawn().context("starting Playwright")?;
    let leash = leash(script, &runner);
    let status = runner.wait()?;
    if let Ok(mut leash) = leash {
        drop(leash.stdin.take());
        leash.wait()?;
    }
    if !status.success() {
        bail!(
            "Playwright ended with {status}; screenshots are in end2end/test-results, traces after `-- --trace on`"
        );
    }
    Ok(())
}

fn leash(script: &Path, held: &Child) -> std::io::Result<Child> {
    Command::new("sh")
        .arg(script)
        .arg(held.id().to_string())
        .stdin(Stdio::piped())
        .spawn()
}
