//! A hash of all inputs of the site, to see whether one has changed.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

/// The inputs besides the WASM module. The packaging code counts too, and Cargo.lock for the version of wasm-bindgen.
const INPUTS: [&str; 5] = [
    "style",
    "public",
    "tools/xtask/src/site",
    "tools/xtask/tools",
    "Cargo.lock",
];

/// A hash of the names and contents of all inputs.
pub fn of_inputs(root: &Path, module: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    add(&mut hash, Path::new("module"), module)?;
    for input in INPUTS {
        for entry in WalkDir::new(root.join(input)).sort_by_file_name() {
            let entry = entry.context("reading the inputs of the site")?;
            if entry.file_type().is_file() {
                add(&mut hash, entry.path().strip_prefix(root)?, entry.path())?;
            }
        }
    }
    Ok(super::hex(&hash.finalize()))
}

fn add(hash: &mut Sha256, name: &Path, file: &Path) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    hash.update(name.as_os_str().as_encoded_bytes());
    // The zero and the length separate adjacent files.
    hash.update([0]);
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_any_input_changes_the_fingerprint() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in [
            "style",
            "public",
            "tools/xtask/src/site",
            "tools/xtask/tools",
        ] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("Cargo.lock"), "").unwrap();
        fs::write(at("module.wasm"), "1").unwrap();
        let now = || of_inputs(root.path(), &at("module.wasm")).unwrap();
        let first = now();
        assert_eq!(now(), first);
        fs::write(at("style/main.css"), "p{}").unwrap();
        let second = now();
        assert_ne!(second, first);
        fs::rename(at("style/main.css"), at("style/other.css")).unwrap();
        assert_ne!(now(), second);
    }
}
