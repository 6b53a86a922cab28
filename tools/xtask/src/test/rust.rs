//! rustfmt, Clippy and the Rust tests.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    setup::{self, Compiler},
    workspace::Workspace,
};

/// All that runs on this machine. `frontend` does not: in one build with it cargo would unite the features of both
/// sides, and the server's pages would be rendered by a Leptos that believes it is in a browser.
const NATIVE: [&str; 3] = ["--workspace", "--exclude", "frontend"];

pub fn format(workspace: &Workspace) -> Result<()> {
    setup::for_checking(workspace)?;
    Ok(workspace.cargo().args(["fmt", "--all", "--check"]).run()?)
}

pub fn lint(workspace: &Workspace) -> Result<()> {
    let toolbox = setup::for_building(workspace)?;
    setup::for_checking(workspace)?;
    let clippy = workspace
        .cargo()
        .arg("clippy")
        .args(NATIVE)
        .arg("--all-targets");
    clippy.args(["--", "--deny", "warnings"]).run()?;
    match toolbox.compiler {
        Compiler::Usual => {
            let clippy = toolbox.compiler.cargo(workspace, "clippy").args([
                "--package",
                "frontend",
                "--package",
                "app",
            ]);
            clippy
                .args(["--features", "app/hydrate", "--", "--deny", "warnings"])
                .run()?;
        }
        Compiler::Debian => println!(
            "xtask: no Clippy for WASM here: its standard library is built by another rustc"
        ),
    }
    Ok(())
}

pub fn test(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    setup::for_many_nodes(workspace)?;
    Ok(workspace
        .cargo()
        .arg("test")
        .args(NATIVE)
        .args(arguments)
        .run()?)
}
