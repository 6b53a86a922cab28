//! Python packages that tests use, each set of them in a folder of `target/tools`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::install;
use crate::workspace::Workspace;

/// What `examples/watch.py` needs. Returns the folder, for `PYTHONPATH`.
pub fn for_examples(workspace: &Workspace) -> Result<PathBuf> {
    ensure(workspace, "examples", "examples/requirements.txt")
}

/// Schemathesis, for the test of the API's description. The test finds it in `target/tools`.
pub fn for_api_test(workspace: &Workspace) -> Result<()> {
    let requirements = "tools/xtask/schemathesis/requirements.txt";
    ensure(workspace, "schemathesis", requirements).map(drop)
}

fn ensure(workspace: &Workspace, name: &str, requirements: &str) -> Result<PathBuf> {
    let requirements = workspace.root.join(requirements);
    let folder = workspace.target.join("tools").join(name);
    install::once(&folder, std::slice::from_ref(&requirements), || {
        if !install::ensure_pip(&workspace.shell)? {
            bail!(
                "the tests need Python 3.11 or newer with pip: install it from your system or https://python.org"
            );
        }
        let (packages, place) = (requirements.display(), folder.display());
        println!("xtask: installing the Python packages of {packages} into {place}");
        install::pip_install(&workspace.shell, &requirements, &folder)
            .with_context(|| format!("installing {packages}; they need Python 3.11 or newer"))
    })?;
    Ok(folder)
}
