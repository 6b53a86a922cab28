//! The browser tests of Firefox and WebKit: the few things that engines do differently, in `end2end/engines`.

use std::ffi::OsString;

use anyhow::Result;
use xshell::cmd;

use super::browser::{check_types, run_with_parent};
use crate::{build, setup, site::Effort, workspace::Workspace};

/// Builds program and site, then runs the tests with these arguments in the engines that are here.
pub fn test(workspace: &Workspace, arguments: &[OsString], effort: Effort) -> Result<()> {
    let engines = setup::for_engine_tests(workspace)?;
    if engines.firefox.is_none() && !engines.webkit {
        println!("xtask: no engine besides Chromium is here, so none is tested");
        return Ok(());
    }
    let built = build::debug(workspace, effort)?;
    let shell = &workspace.shell;
    let _inside = shell.push_dir(workspace.root.join("end2end"));
    check_types(shell)?;
    let playwright = cmd!(
        shell,
        "node node_modules/@playwright/test/cli.js test --config engines.config.ts"
    );
    let mut playwright = playwright
        .args(arguments)
        .env("TONESA_BINARY", &built.program);
    if let Some(firefox) = engines.firefox {
        playwright = playwright
            .arg("--project=firefox")
            .env("FIREFOX", firefox.program)
            .env("GECKODRIVER", firefox.driver);
    }
    if engines.webkit {
        playwright = playwright.arg("--project=webkit");
    }
    run_with_parent(workspace, playwright)
}
