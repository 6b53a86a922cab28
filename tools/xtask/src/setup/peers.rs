//! What Tonesa is compared with, from the package registries, pinned by the lock files in `tools/bench/peers`. What cannot be
//! installed is told and left out: the others are still worth comparing with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;
use xshell::{Shell, cmd};

use super::{apt, node, servers::once};
use crate::{process::find_on_path, workspace::Workspace};

/// Installs each into a folder of its name.
pub fn ensure(workspace: &Workspace, target: &Path) -> Result<()> {
    let peers: [(&str, Install); 3] = [("bun", bun), ("socketio", npm), ("centrifuge", centrifuge)];
    for (name, install) in peers {
        let source = workspace.root.join("tools/bench/peers").join(name);
        let folder = target.join(name);
        let installed = once(&folder, &contents(&source)?, || {
            println!("xtask: installing {name} into {}", folder.display());
            install(&workspace.shell, &source, &folder)
        });
        if let Err(error) = installed {
            println!("xtask: {name} is left out: {error:#}");
        }
    }
    Ok(())
}

type Install = fn(&Shell, &Path, &Path) -> Result<()>;

/// The files of a peer, in the order of their names.
fn files(source: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(source).with_context(|| source.display().to_string())?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

fn contents(source: &Path) -> Result<Vec<u8>> {
    let mut contents = Vec::new();
    for file in files(source)? {
        contents.extend(fs::read(file)?);
    }
    Ok(contents)
}

fn npm(shell: &Shell, source: &Path, folder: &Path) -> Result<()> {
    node::ensure(shell)?;
    for file in files(source)? {
        fs::copy(
            &file,
            folder.join(file.file_name().context("a file has a name")?),
        )?;
    }
    let _inside = shell.push_dir(folder);
    Ok(cmd!(shell, "npm ci --ignore-scripts").run()?)
}

/// The package fetches nothing but another package, of this machine's kind, in which the program lies.
fn bun(shell: &Shell, source: &Path, folder: &Path) -> Result<()> {
    npm(shell, source, folder)?;
    let packages = WalkDir::new(folder.join("node_modules/@oven")).sort_by_file_name();
    let program = packages
        .into_iter()
        .filter_map(Result::ok)
        .find(|entry| entry.path().ends_with("bin/bun"))
        .context("there is no Bun for this kind of machine")?;
    fs::copy(program.path(), folder.join("bun"))?;
    Ok(())
}

fn centrifuge(shell: &Shell, source: &Path, folder: &Path) -> Result<()> {
    if find_on_path(&["go"]).is_none() && apt::is_available(shell) {
        apt::install(shell, &["golang-go"])?;
    }
    if find_on_path(&["go"]).is_none() {
        bail!("it is built with Go (https://go.dev), which is not on PATH");
    }
    let program = folder.join("centrifuge");
    let _inside = shell.push_dir(source);
    Ok(cmd!(shell, "go build -trimpath -o {program} .")
        .env("CGO_ENABLED", "0")
        .run()?)
}
