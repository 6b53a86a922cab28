//! The site folder: the files that the server serves.
//!
//! ```text
//! site/manifest.json    {"css":"/assets/…","js":"/assets/…","wasm":"/assets/…"}
//! site/assets/          tonesa-<16 hex digits of the content's SHA-256>.{css,js,wasm}: immutable
//! site/public/          the project's public/ as it is
//! ```
//!
//! A file that compresses has compressed copies `.br` and `.gz` beside it.

mod bundle;
mod compress;
mod fingerprint;
mod wasm;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::{setup::Toolbox, workspace::Workspace};

pub use wasm::compile;

/// URL paths of the packaged files; the server reads them at start.
#[derive(Serialize)]
struct Manifest {
    css: String,
    js: String,
    wasm: String,
}

/// How much time is spent on making the files small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// None: for development.
    Quick,
    /// All of it: for releases and size checks.
    Optimised,
}

/// Updates `<beside>/site` from the compiled module unless it is up to date, and returns its path.
pub fn package(
    workspace: &Workspace,
    toolbox: &Toolbox,
    module: &Path,
    beside: &Path,
    effort: Effort,
) -> Result<PathBuf> {
    let fingerprint = fingerprint::of_inputs(&workspace.root, module)?;
    let site = beside.join("site");
    let stamp = beside.join("site.fingerprint");
    if site.is_dir() && fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == fingerprint) {
        return Ok(site);
    }
    println!("xtask: packaging {}", site.display());
    let fresh = beside.join("site.new");
    recreate_folder(&fresh)?;
    write_assets(workspace, toolbox, module, &fresh, effort)?;
    copy_public(&workspace.root.join("public"), &fresh.join("public"))?;
    // The stamp is removed first, so that an interrupted update is repeated.
    remove_if_there(fs::remove_file(&stamp))?;
    remove_if_there(fs::remove_dir_all(&site))?;
    fs::rename(&fresh, &site)?;
    fs::write(&stamp, fingerprint)?;
    Ok(site)
}

fn write_assets(
    workspace: &Workspace,
    toolbox: &Toolbox,
    module: &Path,
    site: &Path,
    effort: Effort,
) -> Result<()> {
    let scratch = workspace.target.join("packaging");
    recreate_folder(&scratch)?;
    let assets = site.join("assets");
    fs::create_dir_all(&assets)?;
    let css = bundle::style(workspace, &toolbox.tools, &scratch)?;
    let wasm::Bound { mut wasm, glue } = wasm::bind(module, &scratch)?;
    let js = bundle::script(workspace, &toolbox.tools, &glue, &scratch)?;
    if effort == Effort::Optimised {
        wasm = wasm::optimise(workspace, &toolbox.tools, &wasm, &scratch)?;
    }
    let write = |extension, file: &Path| {
        let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        write_hashed(&assets, extension, &bytes, effort)
    };
    let manifest = Manifest {
        css: write("css", &css)?,
        js: write("js", &js)?,
        wasm: write("wasm", &wasm)?,
    };
    fs::write(
        site.join("manifest.json"),
        serde_json::to_vec_pretty(&manifest)?,
    )?;
    Ok(())
}

/// Writes the bytes to a file named by their hash, with compressed copies; returns its URL path.
fn write_hashed(folder: &Path, extension: &str, bytes: &[u8], effort: Effort) -> Result<String> {
    let name = hashed_name(extension, bytes);
    let path = folder.join(&name);
    match effort {
        Effort::Quick => fs::write(path, bytes)?,
        Effort::Optimised => compress::write_with_copies(&path, bytes)?,
    }
    Ok(format!("/assets/{name}"))
}

fn hashed_name(extension: &str, bytes: &[u8]) -> String {
    let hash = hex(&Sha256::digest(bytes));
    format!("tonesa-{}.{extension}", &hash[..16])
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

fn copy_public(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in WalkDir::new(from).min_depth(1) {
        let entry = entry.context("reading the folder public/")?;
        let copy = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(copy)?;
        } else {
            compress::write_with_copies(&copy, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn recreate_folder(folder: &Path) -> Result<()> {
    remove_if_there(fs::remove_dir_all(folder))?;
    Ok(fs::create_dir_all(folder)?)
}

fn remove_if_there(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::hashed_name;

    #[test]
    fn a_packaged_file_is_named_by_its_hash() {
        assert_eq!(hashed_name("css", b""), "tonesa-e3b0c44298fc1c14.css");
        assert_ne!(hashed_name("css", b"a"), hashed_name("css", b"b"));
    }
}
