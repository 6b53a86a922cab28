//! The programs that package the site: `wasm-opt` (binaryen) and `esbuild`, pinned by
//! `tools/xtask/tools/package-lock.json` and installed into `target/tools`.

use std::path::PathBuf;

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::{setup::install, workspace::Workspace};

/// A script that Node runs.
pub struct Tool(PathBuf);

impl Tool {
    pub fn command<'a>(&self, shell: &'a Shell) -> Cmd<'a> {
        cmd!(shell, "node").arg(&self.0)
    }
}

pub struct Tools {
    pub wasm_opt: Tool,
    pub esbuild: Tool,
}

/// Makes sure of the tools.
pub fn install(workspace: &Workspace) -> Result<Tools> {
    let source = workspace.root.join("tools/xtask/tools");
    let files = ["package.json", "package-lock.json", ".npmrc"].map(|file| source.join(file));
    let folder = workspace.target.join("tools");
    install::once(&folder, &files, || {
        let place = folder.display();
        println!("xtask: installing wasm-opt and esbuild into {place}");
        install::copy_into(&folder, &files)?;
        install::npm_ci(&workspace.shell, &folder)
    })?;
    let modules = folder.join("node_modules");
    Ok(Tools {
        wasm_opt: Tool(modules.join("binaryen/bin/wasm-opt")),
        esbuild: Tool(modules.join("esbuild/bin/esbuild")),
    })
}
