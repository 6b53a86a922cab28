//! A MongoDB server: the one that `MONGO_URL` names, a `mongod` on PATH, else FerretDB, built from `tools/testbed/ferretdb`.
//!
//! FerretDB 1.24 reads the whole collection for each query on SQLite, whatever the indexes: 40 ms for a thousand
//! messages, where MongoDB takes one. The patch lets it use the indexes for conditions as Tonesa asks them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::once;
use crate::{process::find_on_path, setup::apt, workspace::Workspace};

const SOURCES: [&str; 4] = ["main.go", "go.mod", "go.sum", "indexes.patch"];

pub fn ensure(workspace: &Workspace) -> Result<()> {
    let is_named = env::var_os("MONGO_URL").is_some_and(|url| !url.is_empty());
    if is_named || find_on_path(&["mongod", "tonesa-ferretdb"]).is_some() {
        return Ok(());
    }
    let source = workspace.root.join("tools/testbed/ferretdb");
    let folder = workspace.target.join("tools/ferretdb");
    let mut sources = Vec::new();
    for file in SOURCES {
        sources.extend(fs::read(source.join(file))?);
    }
    once(&folder, &sources, || {
        build(&workspace.shell, &source, &folder)
    })
}

fn build(shell: &Shell, source: &Path, folder: &Path) -> Result<()> {
    if find_on_path(&["go"]).is_none() && apt::is_available(shell) {
        apt::install(shell, &["golang-go"])?;
    }
    if find_on_path(&["go"]).is_none() {
        bail!(
            "the tests need a MongoDB server: put MongoDB's `mongod` on PATH, let MONGO_URL name a server, \
             or install Go (https://go.dev), with which FerretDB is built instead"
        );
    }
    println!(
        "xtask: building FerretDB, which stands in for MongoDB, into {} (a minute)",
        folder.display()
    );
    let program = folder.join("tonesa-ferretdb");
    let copy = copied(source, folder)?;
    let _inside = shell.push_dir(&copy);
    vendor(shell, folder)
        .and_then(|()| {
            cmd!(shell, "go build -mod=vendor -trimpath -o {program} .")
                .env("CGO_ENABLED", "0")
                .run()
        })
        .context(
            "building FerretDB with Go; see above for Go's own words. \
             A `mongod` on PATH, or a server that MONGO_URL names, does as well",
        )
}

/// The sources in a folder of their own, where their dependencies can be changed.
fn copied(source: &Path, folder: &Path) -> Result<PathBuf> {
    let copy = folder.join("source");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    fs::create_dir_all(&copy)?;
    for file in SOURCES {
        fs::copy(source.join(file), copy.join(file))?;
    }
    Ok(copy)
}

fn vendor(shell: &Shell, folder: &Path) -> xshell::Result<()> {
    cmd!(shell, "go mod vendor").run()?;
    // As files, not as what they are to a repository around them.
    cmd!(shell, "git apply indexes.patch")
        .env("GIT_CEILING_DIRECTORIES", folder)
        .run()
}
