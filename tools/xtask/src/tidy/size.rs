//! How much a first visit may download, after brotli.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Of the WASM, in bytes.
const WASM: u64 = 260_000;
/// Of the WASM with script and style, in bytes.
const TOGETHER: u64 = 272_000;

#[derive(Deserialize)]
struct Manifest {
    css: String,
    js: String,
    wasm: String,
}

/// Measures the packaged files of a site folder, says what it found, and fails when they are too large.
pub fn check(site: &Path) -> Result<()> {
    let manifest: Manifest = serde_json::from_slice(&fs::read(site.join("manifest.json"))?)?;
    let wasm = compressed(site, &manifest.wasm)?;
    let together = wasm + compressed(site, &manifest.js)? + compressed(site, &manifest.css)?;
    println!("xtask: after brotli: WASM {wasm} bytes, with script and style {together}");
    if wasm > WASM || together > TOGETHER {
        bail!("the app is too large: at most {WASM} bytes of WASM and {TOGETHER} together");
    }
    Ok(())
}

fn compressed(site: &Path, address: &str) -> Result<u64> {
    let file = format!("{}{address}.br", site.display());
    let file = fs::metadata(&file).with_context(|| format!("measuring {file}"))?;
    Ok(file.len())
}
