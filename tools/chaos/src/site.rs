//! Packaged files in miniature: nobody looks at the pages here, and a node does not start without any.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

const FILES: [(&str, &str); 4] = [
    (
        "manifest.json",
        r#"{"css":"/assets/tonesa-1.css","home":{"js":"/assets/tonesa-1.js","wasm":"/assets/tonesa-1.wasm"},
            "upload":{"js":"/assets/tonesa-1.js","wasm":"/assets/tonesa-1.wasm"}}"#,
    ),
    ("assets/tonesa-1.css", "body { margin: 0 }"),
    ("assets/tonesa-1.js", "export {}"),
    ("assets/tonesa-1.wasm", "\0asm"),
];

/// A folder that a node takes for its packaged files; removed when it is dropped.
///
/// # Errors
/// When it cannot be written.
pub fn make() -> Result<TempDir> {
    let folder = tempfile::tempdir().context("making a folder for the packaged files")?;
    fs::create_dir(folder.path().join("public"))?;
    for (name, content) in FILES {
        write(folder.path(), name, content).with_context(|| format!("writing {name}"))?;
    }
    Ok(folder)
}

fn write(folder: &Path, name: &str, content: &str) -> Result<()> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, content)?)
}
