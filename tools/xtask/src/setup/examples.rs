//! What the clients in `examples` need to run: the Python package of `watch.py`, in `target/tools/examples`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::install;
use crate::workspace::Workspace;

/// Returns the folder of the package, for `PYTHONPATH`.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.root.join("examples/requirements.txt");
    let folder = workspace.target.join("tools/examples");
    install::once(&folder, std::slice::from_ref(&requirements), || {
        if !install::ensure_pip(&workspace.shell)? {
            bail!("the tests run examples/watch.py: install Python 3.11 or newer with pip");
        }
        println!("xtask: installing websockets into {}", folder.display());
        install::pip_install(&workspace.shell, &requirements, &folder)
            .context("installing what examples/watch.py needs")
    })?;
    Ok(folder)
}
