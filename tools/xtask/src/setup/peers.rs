//! What Tonesa is compared with, pinned by the lock files in `tools/bench/peers`. What cannot be installed is reported
//! and left out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;
use xshell::{Shell, cmd};

use super::{ensure_node, install};
use crate::workspace::Workspace;

/// Installs each into a folder of its name.
pub fn ensure(workspace: &Workspace, target: &Path) -> Result<()> {
    let shell = &workspace.shell;
    for name in ["bun", "socketio", "centrifuge"] {
        let source = workspace.root.join("tools/bench/peers").join(name);
        let files = files(&source)?;
        let folder = target.join(name);
        let installed = install::once(&folder, &files, || {
            println!("xtask: installing {name} into {}", folder.display());
            match name {
                "centrifuge" => centrifuge(shell, &source, &folder),
                _ => npm(shell, &files, &folder, name == "bun"),
            }
        });
        if let Err(error) = installed {
            println!("xtask: {name} is left out: {error:#}");
        }
    }
    Ok(())
}

fn files(source: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(source).with_context(|| source.display().to_string())?;
    let files = entries.map(|entry| Ok(entry?.path()));
    let mut files = files.collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

fn npm(shell: &Shell, files: &[PathBuf], folder: &Path, is_bun: bool) -> Result<()> {
    ensure_node(shell)?;
    install::copy_into(folder, files)?;
    install::npm_ci(shell, folder)?;
    if is_bun {
        // The program is in another package, of this machine's kind.
        let packages = WalkDir::new(folder.join("node_modules/@oven")).sort_by_file_name();
        let mut packages = packages.into_iter().filter_map(Result::ok);
        let program = packages
            .find(|entry| entry.path().ends_with("bin/bun"))
            .context("there is no Bun for this kind of machine")?;
        fs::copy(program.path(), folder.join("bun"))?;
    }
    Ok(())
}

fn centrifuge(shell: &Shell, source: &Path, folder: &Path) -> Result<()> {
    if !install::ensure_go(shell)? {
        bail!("it is built with Go (https://go.dev), which is not on PATH");
    }
    let program = folder.join("centrifuge");
    let _inside = shell.push_dir(source);
    Ok(cmd!(shell, "go build -trimpath -o {program} .")
        .env("CGO_ENABLED", "0")
        .run()?)
}
