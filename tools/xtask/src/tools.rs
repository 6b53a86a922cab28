//! The programs that package the site: `wasm-opt` (binaryen) and `esbuild`, pinned by
//! `tools/xtask/tools/package-lock.json` and installed into `target/tools`.

use std::{ffi::OsString, path::PathBuf};

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::{setup::install, workspace::Workspace};

/// Older ones do not know the WASM features that rustc uses today.
const OLDEST_WASM_OPT: u32 = 132;

/// A program and its first arguments.
pub struct Tool(Vec<OsString>);

impl Tool {
    fn script(path: PathBuf) -> Self {
        Self(vec!["node".into(), path.into()])
    }

    pub fn command<'a>(&self, shell: &'a Shell) -> Cmd<'a> {
        shell.cmd(&self.0[0]).args(&self.0[1..])
    }
}

pub struct Tools {
    pub wasm_opt: Tool,
    pub esbuild: Tool,
}

/// Makes sure of the tools; a recent `wasm-opt` on PATH is preferred.
pub fn install(workspace: &Workspace) -> Result<Tools> {
    let shell = &workspace.shell;
    let source = workspace.root.join("tools/xtask/tools");
    let files = ["package.json", "package-lock.json", ".npmrc"].map(|file| source.join(file));
    let folder = workspace.target.join("tools");
    install::once(&folder, &files, || {
        let place = folder.display();
        println!("xtask: installing wasm-opt and esbuild into {place}");
        install::copy_into(&folder, &files)?;
        install::npm_ci(shell, &folder)
    })?;
    let on_path = install::find_on_path(&["wasm-opt"]).filter(|path| {
        let version = install::major_version(cmd!(shell, "{path} --version"), "version ");
        version.is_some_and(|version| version >= OLDEST_WASM_OPT)
    });
    let modules = folder.join("node_modules");
    Ok(Tools {
        wasm_opt: on_path.map_or_else(
            || Tool::script(modules.join("binaryen/bin/wasm-opt")),
            |path| Tool(vec![path.into()]),
        ),
        esbuild: Tool::script(modules.join("esbuild/bin/esbuild")),
    })
}
