//! Playwright and the Chromium that it drives.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::{apt, install};
use crate::workspace::Workspace;

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

/// $CHROMIUM, one on PATH, Debian's, or Playwright's own.
pub fn ensure(workspace: &Workspace) -> Result<Browser> {
    let shell = &workspace.shell;
    if let Some(path) = env::var_os("CHROMIUM").map(PathBuf::from) {
        if !path.is_file() {
            bail!("CHROMIUM names {}, which is no file", path.display());
        }
        return Ok(Browser::Installed(path));
    }
    if let Some(path) = on_path() {
        return Ok(Browser::Installed(path));
    }
    let _inside = shell.push_dir(workspace.root.join("end2end"));
    if has_playwrights_own(shell) {
        return Ok(Browser::Playwrights);
    }
    if apt::is_available(shell) {
        if let Err(error) = apt::install(shell, &["chromium"]) {
            println!("xtask: {error}; looking for another way");
        }
        if let Some(path) = on_path() {
            return Ok(Browser::Installed(path));
        }
    }
    println!("xtask: downloading Playwright's Chromium");
    cmd!(shell, "npx playwright install chromium")
        .run()
        .context("no Chromium for the browser tests: install Chromium or Chrome, or let CHROMIUM name its program")?;
    Ok(Browser::Playwrights)
}

fn on_path() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| which::which(name).ok())
}

fn has_playwrights_own(shell: &Shell) -> bool {
    let script = "console.log(require('@playwright/test').chromium.executablePath())";
    let path = cmd!(shell, "node -e {script}")
        .quiet()
        .ignore_stderr()
        .read();
    path.is_ok_and(|path| Path::new(&path).is_file())
}
