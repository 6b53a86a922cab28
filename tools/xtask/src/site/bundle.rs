//! The style sheet and the script, each as one small file, by esbuild.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

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
        .args([
            "--bundle",
            "--minify",
            "--format=esm",
            "--log-level=warning",
            TARGET,
        ])
        .args(public_addresses(&workspace.root.join("public"))?)
        .arg(format!("--outfile={}", output.display()))
        .run()?;
    Ok(output.to_path_buf())
}

/// Tells esbuild that addresses such as `/icon.svg` are served as they are; one that public/ lacks is an error.
fn public_addresses(public: &Path) -> Result<Vec<String>> {
    let mut addresses = Vec::new();
    for entry in WalkDir::new(public).sort_by_file_name() {
        let entry = entry.context("reading the folder public/")?;
        if entry.file_type().is_file() {
            addresses.push(format!(
                "--external:/{}",
                entry.path().strip_prefix(public)?.display()
            ));
        }
    }
    Ok(addresses)
}
