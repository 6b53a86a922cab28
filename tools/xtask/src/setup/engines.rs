//! Firefox and WebKitGTK, with the programs that drive them.

use std::{env, path::PathBuf};

use anyhow::{Context, Result, bail};
use xshell::Shell;

use super::{
    apt,
    install::{self, is_on_path},
};
use crate::workspace::Workspace;

/// Mozilla's driver of Firefox, which Debian does not have: built from crates.io.
const GECKODRIVER: &str = "0.37.1";

/// The engines of this machine besides Chromium.
#[derive(Debug)]
pub struct Engines {
    pub firefox: Option<Firefox>,
    pub webkit: bool,
}

#[derive(Debug)]
pub struct Firefox {
    pub program: PathBuf,
    pub driver: PathBuf,
}

/// Finds and installs them. What cannot be installed is reported and left out; in CI it is an error, so that it is not
/// lost unnoticed.
pub fn ensure(workspace: &Workspace) -> Result<Engines> {
    Ok(Engines {
        firefox: or_left_out("Firefox", firefox(workspace))?,
        webkit: or_left_out("WebKit", webkit(&workspace.shell))?.is_some(),
    })
}

fn or_left_out<T>(name: &str, engine: Result<T>) -> Result<Option<T>> {
    match engine {
        Ok(engine) => Ok(Some(engine)),
        Err(error) if env::var_os("CI").is_some() => {
            Err(error.context(format!("no {name}, in which CI tests too")))
        }
        Err(error) => {
            println!("xtask: not tested in {name}: {error:#}");
            Ok(None)
        }
    }
}

fn firefox(workspace: &Workspace) -> Result<Firefox> {
    let on_path = || {
        let mut names = ["firefox-esr", "firefox"].into_iter();
        names.find_map(|name| which::which(name).ok())
    };
    if on_path().is_none() && apt::is_available(&workspace.shell) {
        apt::install(&workspace.shell, &["firefox-esr"])?;
    }
    let program = on_path().context("install Firefox, or `firefox-esr` on Debian")?;
    let driver = geckodriver(workspace)?;
    Ok(Firefox { program, driver })
}

fn geckodriver(workspace: &Workspace) -> Result<PathBuf> {
    if let Ok(driver) = which::which("geckodriver") {
        return Ok(driver);
    }
    install::build_cargo_program(workspace, "geckodriver", GECKODRIVER)
}

fn webkit(shell: &Shell) -> Result<()> {
    let are_here = || is_on_path("WebKitWebDriver") && is_on_path("Xvfb");
    if !are_here() && apt::is_available(shell) {
        apt::install(shell, &["webkit2gtk-driver", "xvfb"])?;
    }
    if !are_here() {
        bail!(
            "install WebKitGTK's `WebKitWebDriver` and `Xvfb` (Debian's webkit2gtk-driver and xvfb)"
        );
    }
    Ok(())
}
