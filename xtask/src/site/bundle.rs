//! The style sheet and the script, each as one small file, by esbuild.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{tools::Tools, workspace::Workspace};

/// The oldest browsers that get what they understand: those of the last three years or so.
const TARGET: &str = "--target=chrome109,firefox115,safari16.4";

/// `style/main.css` with all that it imports.
pub fn style(workspace: &Workspace, tools: &Tools, folder: &Path) -> Result<PathBuf> {
    let main = workspace.root.join("style/main.css");
    bundle(workspace, tools, &main, &folder.join("bundled.css")).context("bundling style/main.css")
}

/// The JavaScript that wasm-bindgen wrote, with the snippets that it may import.
pub fn script(workspace: &Workspace, tools: &Tools, glue: &Path, folder: &Path) -> Result<PathBuf> {
    bundle(workspace, tools, glue, &folder.join("bundled.js")).context("making the script small")
}

fn bundle(workspace: &Workspace, tools: &Tools, entry: &Path, output: &Path) -> Result<PathBuf> {
    tools
        .esbuild
        .command(&workspace.shell)
        .arg(entry)
        // Addresses such as /icon.svg are the server's, not files beside the style sheet.
        .args([
            "--bundle",
            "--minify",
            "--format=esm",
            "--external:/*",
            "--log-level=warning",
            TARGET,
        ])
        .arg(format!("--outfile={}", output.display()))
        .run()?;
    Ok(output.to_path_buf())
}
