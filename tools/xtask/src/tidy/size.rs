//! How much a first visit may download, after brotli.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// In bytes: of a page's WASM, and of that with script and style.
struct Budget {
    page: &'static str,
    wasm: u64,
    together: u64,
}

const HOME: Budget = Budget {
    page: "home",
    wasm: 37_400,
    together: 44_600,
};
const UPLOAD: Budget = Budget {
    page: "upload",
    wasm: 82_400,
    together: 90_600,
};

#[derive(Deserialize)]
struct Manifest {
    css: String,
    home: Program,
    upload: Program,
}

#[derive(Deserialize)]
struct Program {
    js: String,
    wasm: String,
}

/// Measures the packaged files of a site folder, says what it found, and fails when a page needs too many bytes.
pub fn check(site: &Path) -> Result<()> {
    let manifest: Manifest = serde_json::from_slice(&fs::read(site.join("manifest.json"))?)?;
    let css = compressed(site, &manifest.css)?;
    for (budget, program) in [(HOME, manifest.home), (UPLOAD, manifest.upload)] {
        let wasm = compressed(site, &program.wasm)?;
        let together = wasm + compressed(site, &program.js)? + css;
        let page = budget.page;
        println!("xtask: {page} after brotli: WASM {wasm} bytes, with script and style {together}");
        if wasm > budget.wasm || together > budget.together {
            bail!(
                "the page {page} is too large: at most {} bytes of WASM and {} together",
                budget.wasm,
                budget.together
            );
        }
    }
    Ok(())
}

fn compressed(site: &Path, address: &str) -> Result<u64> {
    let file = format!("{}{address}.br", site.display());
    let file = fs::metadata(&file).with_context(|| format!("measuring {file}"))?;
    Ok(file.len())
}
