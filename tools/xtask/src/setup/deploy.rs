//! The programs that check the deployment files, in `target/tools/deploy`, as they are pinned in `tools/xtask/deploy`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::install;
use crate::workspace::Workspace;

/// The programs, as far as they can be installed here.
pub struct Checkers {
    /// The folder of the Python packages; their programs are in its `bin`.
    pub python: Option<PathBuf>,
    /// The folder of the Go programs.
    pub go: Option<PathBuf>,
}

/// Installs what can be installed. Without pip or Go the rest is still checked.
pub fn ensure(workspace: &Workspace) -> Result<Checkers> {
    let folder = workspace.target.join("tools/deploy");
    let source = workspace.root.join("tools/xtask/deploy");
    let shell = &workspace.shell;
    let python = install::ensure_pip(shell)?.then(|| folder.join("python"));
    if let Some(folder) = &python {
        let requirements = source.join("requirements.txt");
        install::once(folder, std::slice::from_ref(&requirements), || {
            let place = folder.display();
            println!("xtask: installing hadolint and kubernetes-validate into {place}");
            install::pip_install(shell, &requirements, folder)
        })
        .context("installing the checkers of deploy/")?;
    }
    let go = install::ensure_go(shell)?.then(|| folder.join("go"));
    if let Some(folder) = &go {
        let files = [
            "go-programs.txt",
            "compose/main.go",
            "compose/go.mod",
            "compose/go.sum",
        ];
        install::once(folder, &files.map(|file| source.join(file)), || {
            build_with_go(shell, &source, folder)
                .context("building the checkers of deploy/ with Go; see above for Go's own words")
        })?;
    }
    Ok(Checkers { python, go })
}

fn build_with_go(shell: &Shell, source: &Path, folder: &Path) -> Result<()> {
    let place = folder.display();
    println!("xtask: building compose-check, kustomize and Caddy into {place} (minutes)");
    let _inside = shell.push_dir(source.join("compose"));
    let _folder = shell.push_env("GOBIN", folder);
    let _flags = shell.push_env("GOFLAGS", "-trimpath");
    let _pure_go = shell.push_env("CGO_ENABLED", "0");
    let program = folder.join("compose-check");
    cmd!(shell, "go build -o {program} .").run()?;
    for program in fs::read_to_string(source.join("go-programs.txt"))?.lines() {
        cmd!(shell, "go install {program}").run()?;
    }
    Ok(())
}
