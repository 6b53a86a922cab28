//! The browser's programs: compiled, bound to JavaScript, made small.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{setup::Compiler, tools::Tools, workspace::Workspace};

/// Compiles the programs of `frontend`; gives the folder with the modules as rustc left them, named as [`module`] says.
/// Cargo returns at once when nothing has changed.
pub fn compile(workspace: &Workspace, compiler: Compiler) -> Result<PathBuf> {
    compiler
        .cargo(workspace, "build")
        .args([
            "--package",
            "frontend",
            "--bins",
            "--profile",
            "wasm-release",
        ])
        .run()
        .context("compiling the browser's part")?;
    Ok(workspace.target.join("wasm32-unknown-unknown/wasm-release"))
}

/// The file name of a program's module.
pub fn module(program: &str) -> String {
    format!("{program}.wasm")
}

/// What wasm-bindgen wrote.
pub struct Bound {
    pub wasm: PathBuf,
    /// The JavaScript around it.
    pub glue: PathBuf,
}

/// Runs wasm-bindgen (the library, so that it is always the version of Cargo.lock).
pub fn bind(module: &Path, name: &str, folder: &Path) -> Result<Bound> {
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(false)
        .out_name(name)
        // The page says where the hashed WASM is; there is no other place to look for it.
        .omit_default_module_path(true)
        .generate(folder)
        .with_context(|| format!("wasm-bindgen on {}", module.display()))?;
    Ok(Bound {
        wasm: folder.join(format!("{name}_bg.wasm")),
        glue: folder.join(format!("{name}.js")),
    })
}

/// Runs wasm-opt.
///
/// It needs no list of WASM features: rustc writes those that it used into the module, and wasm-opt keeps to them.
/// Naming more (`--all-features`) gives fewer bytes, but more of them after brotli.
pub fn optimise(
    workspace: &Workspace,
    tools: &Tools,
    input: &Path,
    folder: &Path,
) -> Result<PathBuf> {
    let output = folder.join("optimised.wasm");
    let arguments = ["-Oz", "--strip-producers", "--strip-target-features"];
    let command = tools.wasm_opt.command(&workspace.shell).args(arguments);
    command
        .arg(input)
        .arg("-o")
        .arg(&output)
        .run()
        .context("making the WASM small")?;
    Ok(output)
}
