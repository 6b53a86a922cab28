//! A MongoDB server: the one that `MONGO_URL` names, a `mongod` on PATH, else FerretDB, built from `testbed/ferretdb`.

use std::{env, fs, path::Path};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::once;
use crate::{process::find_on_path, setup::apt, workspace::Workspace};

const SOURCES: [&str; 3] = ["main.go", "go.mod", "go.sum"];

pub fn ensure(workspace: &Workspace) -> Result<()> {
    let is_named = env::var_os("MONGO_URL").is_some_and(|url| !url.is_empty());
    if is_named || find_on_path(&["mongod", "tonesa-ferretdb"]).is_some() {
        return Ok(());
    }
    let source = workspace.root.join("testbed/ferretdb");
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
    let _inside = shell.push_dir(source);
    cmd!(shell, "go build -trimpath -o {program} .")
        .env("CGO_ENABLED", "0")
        .run()
        .context(
            "building FerretDB with Go; see above for Go's own words. \
             A `mongod` on PATH, or a server that MONGO_URL names, does as well",
        )
}
