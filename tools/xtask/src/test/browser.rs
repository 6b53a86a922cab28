//! The browser tests: Playwright in `end2end`, real Chromium, the real program.

use std::{
    ffi::OsString,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    build,
    setup::{self, Browser},
    site::Effort,
    tidy,
    workspace::{self, Workspace},
};

/// Builds program and site, checks the site's size, then runs Playwright with these arguments.
///
/// The program is the debug build, which the unit tests have compiled already, and which shows overflows and failed
/// assertions.
pub fn test(workspace: &Workspace, arguments: &[OsString], effort: Effort) -> Result<()> {
    let browser = setup::for_browser_tests(workspace)?;
    setup::for_many_nodes(workspace)?;
    let built = build::debug(workspace, effort)?;
    let testbed = build::testbed(workspace)?;
    if effort == Effort::Optimised {
        tidy::check_size(&built.site)?;
    }
    // Playwright itself compiles TypeScript without checking the types.
    let folder = workspace.root.join("end2end");
    let mut types = Command::new("node");
    types.args(["node_modules/typescript/bin/tsc", "--noEmit"]);
    workspace::run(types.current_dir(&folder))
        .context("checking the types of the browser tests")?;
    let mut playwright = Command::new("node");
    playwright
        .args(["node_modules/@playwright/test/cli.js", "test"])
        .args(arguments)
        .current_dir(folder)
        .env("TONESA_BINARY", &built.program)
        .env("TESTBED_BINARY", testbed);
    if let Browser::Installed(path) = browser {
        playwright.env("CHROMIUM", path);
    }
    let kill_with_parent = workspace.root.join("tools/testbed/kill-with-parent.sh");
    run_with_parent(playwright, &kill_with_parent)
}

/// Runs the command to its end; the script kills it should xtask be killed meanwhile. (The servers under test have their
/// own.)
fn run_with_parent(mut command: Command, script: &Path) -> Result<()> {
    let mut child = command.spawn().context("starting Playwright")?;
    let mut guard = Command::new("sh")
        .arg(script)
        .arg(child.id().to_string())
        .stdin(Stdio::piped())
        .spawn()?;
    let status = child.wait()?;
    drop(guard.stdin.take());
    guard.wait()?;
    if !status.success() {
        bail!(
            "Playwright ended with {status}; screenshots are in end2end/test-results, traces after `-- --trace on`"
        );
    }
    Ok(())
}
