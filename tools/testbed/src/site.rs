//! Packaged files for nodes whose pages nobody looks at: a node does not start without any.

use std::fs;

use anyhow::{Context, Result};
use tempfile::TempDir;

const FILES: [(&str, &str); 5] = [
    (
        "manifest.json",
        r#"{"css":"/assets/tonesa-1.css","js":"/assets/tonesa-1.js","wasm":"/assets/tonesa-1.wasm"}"#,
    ),
    ("assets/tonesa-1.css", "body { margin: 0 }"),
    ("assets/tonesa-1.js", "export {}"),
    ("assets/tonesa-1.wasm", "\0asm"),
    ("public/robots.txt", ""),
];

/// Makes the smallest folder for `TONESA_SITE_DIR`. It is removed when it is dropped.
pub fn minimal_site() -> Result<TempDir> {
    write().context("writing the packaged files")
}

fn write() -> Result<TempDir> {
    let folder = TempDir::new()?;
    for (name, content) in FILES {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        fs::write(path, content)?;
    }
    Ok(folder)
}
