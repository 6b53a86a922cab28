//! How much a first visit may download, after brotli.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// In bytes.
const MOST_WASM: u64 = 118_000;
const MOST_TOGETHER: u64 = 127_000;

#[derive(Deserialize)]
struct Manifest {
    css: String,
    js: String,
    wasm: String,
}

/// Measures the packaged files of a site folder, says what it found, and fails when they are too many bytes.
pub fn check(site: &Path) -> Result<()> {
    let manifest: Manifest = serde_json::from_slice(&fs::read(site.join("manifest.json"))?)?;
    let compressed = |address: &str| {
        let file = format!("{}{address}.br", site.display());
        Ok::<_, anyhow::Error>(
            fs::metadata(&file)
                .with_context(|| format!("measuring {file}"))?
                .len(),
        )
    };
    let wasm = compressed(&manifest.wasm)?;
    let together = wasm + compressed(&manifest.js)? + compressed(&manifest.css)?;
    println!("xtask: after brotli: WASM {wasm} bytes, with script and style {together}");
    if wasm > MOST_WASM || together > MOST_TOGETHER {
        bail!(
            "the site is too large: at most {MOST_WASM} bytes of WASM and {MOST_TOGETHER} together"
        );
    }
    Ok(())
}
