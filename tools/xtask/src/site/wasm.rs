//! The app for the browser: compiled, bound to JavaScript and optimised.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::Effort;
use crate::{
    setup::{Compiler, TARGET},
    tools::Tools,
    workspace::Workspace,
};

const NAME: &str = "tonesa";

/// Compiles `frontend` and returns the path of the module. Cargo returns at once if nothing has changed.
pub fn compile(workspace: &Workspace, compiler: Compiler, effort: Effort) -> Result<PathBuf> {
    let (profile, folder) = match effort {
        Effort::Quick => ("dev", "debug"),
        Effort::Optimised => ("wasm-release", "wasm-release"),
    };
    let mut build = compiler.cargo(workspace, "build").args([
        "--package",
        "frontend",
        "--lib",
        "--profile",
        profile,
    ]);
    if effort == Effort::Optimised {
        build = build.arg("--config").arg(without_registry_path());
    }
    build.run().context("compiling the frontend")?;
    let folder = workspace.target.join("wasm32-unknown-unknown").join(folder);
    Ok(folder.join("frontend.wasm"))
}

/// Shortens the paths of dependencies in panic messages, so that the WASM is the same in every home directory.
fn without_registry_path() -> String {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registry = cargo_home.unwrap_or_default().join("registry/src");
    let flag = format!("--remap-path-prefix={}=", registry.display());
    // Cargo appends them to those of .cargo/config.toml.
    format!("target.{TARGET}.rustflags=[{flag:?}]")
}

/// The output of wasm-bindgen.
pub struct Bound {
    pub wasm: PathBuf,
    /// The JavaScript that loads it.
    pub glue: PathBuf,
}

/// Runs wasm-bindgen: as a library, so that its version is always that of Cargo.lock.
pub fn bind(module: &Path, folder: &Path) -> Result<Bound> {
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(false)
        .out_name(NAME)
        // The page passes the path of the hashed WASM.
        .omit_default_module_path(true)
        .generate(folder)
        .with_context(|| format!("wasm-bindgen on {}", module.display()))?;
    Ok(Bound {
        wasm: folder.join(format!("{NAME}_bg.wasm")),
        glue: folder.join(format!("{NAME}.js")),
    })
}

/// Runs wasm-opt.
///
/// It needs no list of WASM features: rustc writes those that it uses into the module. Enabling more (`--all-features`)
/// gives fewer bytes, but more after brotli; so does `-Oz`.
///
/// The other arguments save 4.9 kB of 222 after brotli: the control flow is made anew by `--flatten --rereloop`, a
/// second `-Os` finds what the first one left and knows the effects of functions, larger functions are not inlined into
/// their only caller, and functions with similar names, which are often similar code, are put side by side.
pub fn optimise(
    workspace: &Workspace,
    tools: &Tools,
    input: &Path,
    folder: &Path,
) -> Result<PathBuf> {
    let output = folder.join("optimised.wasm");
    let arguments = [
        "--flatten",
        "--rereloop",
        "--generate-global-effects",
        "-Os",
        "-Os",
        "--one-caller-inline-max-function-size=20",
        "--reorder-functions-by-name",
        "--strip-producers",
        "--strip-target-features",
    ];
    let command = tools.wasm_opt.command(&workspace.shell).args(arguments);
    command
        .arg(input)
        .arg("-o")
        .arg(&output)
        .run()
        .context("optimising the WASM")?;
    Ok(output)
}
