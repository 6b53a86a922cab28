//! Limits on the size of the app's files after brotli.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The WASM, in bytes. The goal is 225,000 (docs/performance.md): this keeps it from growing further.
const MAX_WASM: u64 = 287_000;
/// The WASM with script and style sheet, in bytes. The goal is 237,000.
const MAX_TOTAL: u64 = 305_000;

#[derive(Deserialize)]
struct Manifest {
    css: String,
    js: String,
    wasm: String,
}

/// Prints the sizes of the packaged files in a site folder; fails if they are too large.
pub fn check(site: &Path) -> Result<()> {
    let manifest: Manifest = serde_json::from_slice(&fs::read(site.join("manifest.json"))?)?;
    let wasm = compressed(site, &manifest.wasm)?;
    let total = wasm + compressed(site, &manifest.js)? + compressed(site, &manifest.css)?;
    println!("xtask: after brotli: WASM {wasm} bytes, with script and style {total}");
    if wasm > MAX_WASM || total > MAX_TOTAL {
        bail!("the app is too large: at most {MAX_WASM} bytes of WASM and {MAX_TOTAL} together");
    }
    Ok(())
}

fn compressed(site: &Path, address: &str) -> Result<u64> {
    let file = format!("{}{address}.br", site.display());
    let file = fs::metadata(&file).with_context(|| format!("measuring {file}"))?;
    Ok(file.len())
}
