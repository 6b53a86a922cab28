//! The deployment files: Dockerfile, compose.yaml, deploy/. Running what they describe takes a container runtime and
//! images from registries; here each file is read by a program that knows its format.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{
    setup::{self, install},
    workspace::Workspace,
};

/// How exposed the unit may be by systemd's own measure, from 0 to 100. It is 14; up to 49 systemd calls it "OK".
const MAX_EXPOSURE: u32 = 15;

/// Checks every file, and says which could not be checked.
pub fn check(workspace: &Workspace) -> Result<()> {
    let checkers = setup::for_deploy_checks(workspace)?;
    let shell = &workspace.shell;
    if let Some(python) = &checkers.python {
        let hadolint = python.join("bin/hadolint");
        cmd!(shell, "{hadolint} Dockerfile")
            .run()
            .context("Dockerfile")?;
    } else {
        println!("xtask: not checked without Python's pip: Dockerfile, deploy/kubernetes");
    }
    if let Some(go) = &checkers.go {
        // With its defaults: names, types, references between its parts, and that all it mounts is there.
        let load = go.join("compose-check");
        cmd!(shell, "{load} compose.yaml")
            .run()
            .context("compose.yaml")?;
        check_caddyfile(shell, go).context("deploy/compose/Caddyfile")?;
    } else {
        println!("xtask: not checked without Go: compose.yaml, Caddyfile, kustomizations");
    }
    if let (Some(python), Some(go)) = (&checkers.python, &checkers.go) {
        check_kubernetes(workspace, python, go).context("deploy/kubernetes")?;
    }
    if install::is_on_path("systemd-analyze") {
        check_unit(workspace).context("deploy/systemd")?;
    } else {
        println!("xtask: not checked without systemd: deploy/systemd");
    }
    cmd!(shell, "sh -n deploy/debian/postrm").run()?;
    cmd!(shell, "bash -n deploy/compose/mongo-start.sh").run()?;
    for script in ["mongo-ready.js", "mongo-user.js"] {
        cmd!(shell, "node --check deploy/compose/{script}").run()?;
    }
    Ok(())
}

/// Checks the unit's directives, and that it exposes no more than it does now.
fn check_unit(workspace: &Workspace) -> Result<()> {
    let shell = &workspace.shell;
    let folder = workspace.target.join("deploy");
    shell.create_dir(&folder)?;
    let unit = shell.read_file("deploy/systemd/tonesa.service")?;
    // The program need not be installed here.
    let unit = unit.replace("ExecStart=/usr/bin/tonesa", "ExecStart=/bin/true");
    let copy = folder.join("tonesa.service");
    shell.write_file(&copy, unit)?;
    cmd!(
        shell,
        "systemd-analyze verify --man=no --recursive-errors=no {copy}"
    )
    .run()?;
    let security = cmd!(shell, "systemd-analyze security --offline=true {copy}");
    let security = security.arg(format!("--threshold={MAX_EXPOSURE}"));
    Ok(security.quiet().ignore_stdout().run()?)
}

fn check_caddyfile(shell: &Shell, go: &Path) -> Result<()> {
    let caddy = go.join("caddy");
    let validate = cmd!(
        shell,
        "{caddy} validate --adapter caddyfile --config deploy/compose/Caddyfile"
    );
    // It also logs what is right.
    let output = validate.quiet().ignore_status().output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Builds what `kubectl apply --kustomize` would send, and validates it against the schemas of Kubernetes, in which
/// unknown fields are errors. These do not have the kinds of the Prometheus Operator.
fn check_kubernetes(workspace: &Workspace, python: &Path, go: &Path) -> Result<()> {
    let shell = &workspace.shell;
    let folder = workspace.target.join("deploy");
    shell.create_dir(&folder)?;
    let kustomize = go.join("kustomize");
    let mut files = vec![PathBuf::from("deploy/kubernetes/secret.example.yaml")];
    for name in ["kubernetes", "kubernetes/monitoring"] {
        let file = folder.join(format!("{}.yaml", name.replace('/', "-")));
        cmd!(shell, "{kustomize} build deploy/{name} --output {file}").run()?;
        files.push(file);
    }
    let validate = cmd!(
        shell,
        "python3 -m kubernetes_validate --strict --quiet {files...}"
    );
    Ok(validate.env("PYTHONPATH", python).run()?)
}
