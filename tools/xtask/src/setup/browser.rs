//! Playwright and the Chromium that it drives.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::{apt, install};
use crate::workspace::Workspace;

/// Chromium without the interface of a browser: the tests take two thirds of the time.
const HEADLESS_SHELL: &str = "chromium-headless-shell";
/// Chromium with it.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The Chromium of the tests.
#[derive(Debug)]
pub enum Browser {
    /// A program of this machine.
    Installed(PathBuf),
    /// The one that Playwright downloaded.
    Playwrights,
}

/// Installs the npm packages of `end2end`.
pub fn install_playwright(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root.join("end2end");
    let lock = folder.join("package-lock.json");
    install::once(&folder.join("node_modules"), &[lock], || {
        println!("xtask: installing Playwright into end2end/node_modules");
        install::npm_ci(&workspace.shell, &folder)
    })
}

/// $CHROMIUM, the headless shell on PATH, Playwright's own or Debian's, or any other Chromium on PATH.
pub fn ensure(workspace: &Workspace) -> Result<Browser> {
    let shell = &workspace.shell;
    if let Some(path) = env::var_os("CHROMIUM").map(PathBuf::from) {
        if !path.is_file() {
            bail!("CHROMIUM names {}, which is no file", path.display());
        }
        return Ok(Browser::Installed(path));
    }
    if let Ok(path) = which::which(HEADLESS_SHELL) {
        return Ok(Browser::Installed(path));
    }
    let _inside = shell.push_dir(workspace.root.join("end2end"));
    if has_playwrights_own(shell) {
        return Ok(Browser::Playwrights);
    }
    if apt::is_available(shell) {
        if let Err(error) = apt::install(shell, &[HEADLESS_SHELL]) {
            println!("xtask: {error}; looking for another way");
        }
        if let Ok(path) = which::which(HEADLESS_SHELL) {
            return Ok(Browser::Installed(path));
        }
    }
    if let Some(path) = NAMES.iter().find_map(|name| which::which(name).ok()) {
        return Ok(Browser::Installed(path));
    }
    println!("xtask: downloading Playwright's Chromium");
    cmd!(shell, "npx playwright install chromium")
        .run()
        .context("no Chromium for the browser tests: install Chromium or Chrome, or let CHROMIUM name its program")?;
    Ok(Browser::Playwrights)
}

fn has_playwrights_own(shell: &Shell) -> bool {
    let script = "console.log(require('@playwright/test').chromium.executablePath())";
    let path = cmd!(shell, "node -e {script}")
        .quiet()
        .ignore_stderr()
        .read();
    path.is_ok_and(|path| Path::new(&path).is_file())
}
