//! The browser tests: Playwright in `end2end`, real Chromium, the real program.

use std::{
    ffi::OsString,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell, cmd};

use crate::{
    build,
    setup::{self, Browser},
    site::Effort,
    tidy,
    workspace::Workspace,
};

/// Builds program and site, checks the site's size, then runs Playwright with these arguments.
///
/// The program is the debug build, which the unit tests have compiled already, and which shows overflows and failed
/// assertions.
pub fn test(workspace: &Workspace, arguments: &[OsString], effort: Effort) -> Result<()> {
    let browser = setup::for_browser_tests(workspace)?;
    setup::for_many_nodes(workspace)?;
    let python_path = setup::for_examples(workspace)?;
    let built = build::debug(workspace, effort)?;
    let testbed = build::debug_program(workspace, "testbed")?;
    let bot = build::debug_program(workspace, "bot")?;
    if effort == Effort::Optimised {
        tidy::check_size(&built.site)?;
    }
    let shell = &workspace.shell;
    let _inside = shell.push_dir(workspace.root.join("end2end"));
    check_types(shell)?;
    let mut playwright = cmd!(shell, "node node_modules/@playwright/test/cli.js test");
    if !arguments.is_empty() {
        // Otherwise one test that runs alone would bring all tests of the project that it waits for.
        playwright = playwright.args(["--no-deps", "--workers=1"]);
    }
    let mut playwright = playwright
        .args(arguments)
        .env("TONESA_BINARY", &built.program)
        .env("TESTBED_BINARY", testbed)
        .env("BOT_BINARY", bot)
        .env("PYTHONPATH", python_path);
    if let Browser::Installed(path) = browser {
        playwright = playwright.env("CHROMIUM", path);
    }
    run_with_parent(workspace, playwright)
}

/// In `end2end`, as Playwright itself compiles TypeScript without checking the types.
pub fn check_types(shell: &Shell) -> Result<()> {
    cmd!(shell, "node node_modules/typescript/bin/tsc --noEmit")
        .run()
        .context("checking the types of the browser tests")
}

/// Runs the command to its end; the script kills it should xtask be killed meanwhile. (The servers under test have
/// their own.)
pub fn run_with_parent(workspace: &Workspace, playwright: Cmd<'_>) -> Result<()> {
    let script = workspace.root.join("tools/testbed/kill-with-parent.sh");
    let mut child = Command::from(playwright)
        .spawn()
        .context("starting Playwright")?;
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
