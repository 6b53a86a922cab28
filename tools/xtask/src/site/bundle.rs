//! Bundles and minifies the style sheet and the script with esbuild.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::{tools::Tools, workspace::Workspace};

/// The oldest supported browsers: those of the last three years or so.
const TARGET: &str = "--target=chrome109,firefox115,safari16.4";

/// Bundles `style/main.css` with its imports.
pub fn style(workspace: &Workspace, tools: &Tools, folder: &Path) -> Result<PathBuf> {
    let main = workspace.root.join("style/main.css");
    bundle(workspace, tools, &main, &folder.join("bundled.css")).context("bundling style/main.css")
}

/// Bundles the JavaScript that wasm-bindgen wrote, with its snippets.
pub fn script(workspace: &Workspace, tools: &Tools, glue: &Path, folder: &Path) -> Result<PathBuf> {
    bundle(workspace, tools, glue, &folder.join("bundled.js")).context("bundling the script")
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
        .args(external_paths(&workspace.root.join("public"))?)
        .arg(format!("--outfile={}", output.display()))
        .run()?;
    Ok(output.to_path_buf())
}

/// Tells esbuild that URL paths such as `/icon.svg` are files in public/; others are errors.
fn external_paths(public: &Path) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in WalkDir::new(public).sort_by_file_name() {
        let entry = entry.context("reading the folder public/")?;
        if entry.file_type().is_file() {
            paths.push(format!(
                "--external:/{}",
                entry.path().strip_prefix(public)?.display()
            ));
        }
    }
    Ok(paths)
}
