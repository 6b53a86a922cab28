//! The files that describe deployments: Dockerfile, compose.yaml, deploy/. What they describe is not run here, since that
//! takes a container runtime and images from registries; each file is read by a program that knows its format.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{setup, workspace::Workspace};

/// Checks every file, and says which could not be checked.
pub fn check(workspace: &Workspace) -> Result<()> {
    let checkers = setup::for_deploy_checks(workspace)?;
    let shell = &workspace.shell;
    if let Some(python) = &checkers.python {
        check_dockerfile(shell, python).context("Dockerfile")?;
    } else {
        println!("xtask: not checked without Python's pip: Dockerfile, deploy/kubernetes");
    }
    if let Some(go) = &checkers.go {
        check_compose(shell, go).context("compose.yaml")?;
        check_caddyfile(shell, go).context("deploy/compose/Caddyfile")?;
    } else {
        println!("xtask: not checked without Go: compose.yaml, Caddyfile, kustomizations");
    }
    if let (Some(python), Some(go)) = (&checkers.python, &checkers.go) {
        check_kubernetes(workspace, python, go).context("deploy/kubernetes")?;
    }
    check_scripts(shell)
}

fn check_dockerfile(shell: &Shell, python: &Path) -> Result<()> {
    let hadolint = python.join("bin/hadolint");
    Ok(cmd!(shell, "{hadolint} Dockerfile").run()?)
}

/// Loads it with its defaults: names, types, references between its parts, and that all it mounts is there.
fn check_compose(shell: &Shell, go: &Path) -> Result<()> {
    let load = go.join("compose-check");
    Ok(cmd!(shell, "{load} compose.yaml").run()?)
}

fn check_caddyfile(shell: &Shell, go: &Path) -> Result<()> {
    let caddy = go.join("caddy");
    let validate = cmd!(
        shell,
        "{caddy} validate --adapter caddyfile --config deploy/compose/Caddyfile"
    );
    // It tells all that it does; a fault is told by the error too.
    let told = validate.quiet().ignore_status().output()?;
    if told.status.success() {
        return Ok(());
    }
    anyhow::bail!("{}", String::from_utf8_lossy(&told.stderr))
}

/// Builds what `kubectl apply --kustomize` would send, and holds it against the schemas of Kubernetes, unknown fields
/// being faults. Kinds of the Prometheus Operator are not among these.
fn check_kubernetes(workspace: &Workspace, python: &Path, go: &Path) -> Result<()> {
    let shell = &workspace.shell;
    let folder = workspace.target.join("deploy");
    shell.create_dir(&folder)?;
    let kustomize = go.join("kustomize");
    let mut built = Vec::new();
    for name in ["kubernetes", "kubernetes/monitoring"] {
        let file = folder.join(format!("{}.yaml", name.replace('/', "-")));
        cmd!(shell, "{kustomize} build deploy/{name} --output {file}").run()?;
        built.push(file);
    }
    built.push(PathBuf::from("deploy/kubernetes/secret.example.yaml"));
    let files = built.into_iter().map(OsString::from);
    cmd!(shell, "python3 -m kubernetes_validate --strict --quiet")
        .args(files)
        .env("PYTHONPATH", python)
        .run()?;
    Ok(())
}

fn check_scripts(shell: &Shell) -> Result<()> {
    cmd!(shell, "bash -n deploy/compose/mongo-start.sh").run()?;
    for script in ["mongo-ready.js", "mongo-user.js"] {
        cmd!(shell, "node --check deploy/compose/{script}").run()?;
    }
    Ok(())
}
