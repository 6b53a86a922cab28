//! The packaged files: read once at the start, and served from memory with the encodings made at build time.
//!
//! The folder contains `manifest.json` (the addresses of the style sheet, the script and the WASM), `assets/` (names
//! contain a hash of the content, which never changes) and `public/` (served at the root under their own names). `x.br`
//! and `x.gz` beside a file are its encodings. `cargo leptos` writes another folder, without a manifest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use app::settings::Assets;
use axum::routing::{MethodRouter, get};
use http::header::{HeaderMap, HeaderValue};
use thiserror::Error;

use crate::http::representation::Representation;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ONE_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Why the packaged files cannot be served.
#[derive(Debug, Error)]
pub enum SiteError {
    /// A file or folder cannot be read.
    #[error(
        "The packaged files cannot be read: {path}: {source}. Build them with `cargo xtask build`, or name their \
         folder in TONESA_SITE_DIR."
    )]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The manifest is invalid.
    #[error("{path} is not a manifest of packaged files: {source}. Run `cargo xtask build`.")]
    Manifest {
        /// The path of `manifest.json`.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
}

/// All packaged files, in memory.
pub struct Site {
    /// The addresses of the files that pages refer to.
    pub assets: Assets,
    files: BTreeMap<String, Representation>,
}

impl Site {
    /// Reads all files of the folder.
    ///
    /// # Errors
    /// See [`SiteError`].
    pub fn load(dir: &Path) -> Result<Self, SiteError> {
        let mut files = BTreeMap::new();
        if dir.join("assets/tonesa.js").exists() {
            load_folder(dir, "", &NO_CACHE, &mut files)?;
            let assets = unhashed_assets();
            return Ok(Self { assets, files });
        }
        let manifest = dir.join("manifest.json");
        let assets =
            serde_json::from_slice(&read(&manifest)?).map_err(|source| SiteError::Manifest {
                path: manifest,
                source,
            })?;
        load_folder(&dir.join("assets"), "/assets", &IMMUTABLE, &mut files)?;
        load_folder(&dir.join("public"), "", &ONE_HOUR, &mut files)?;
        Ok(Self { assets, files })
    }

    /// Returns whether a packaged file has this address.
    pub fn serves(&self, address: &str) -> bool {
        self.files.contains_key(address)
    }

    /// Returns each file's address and the route that serves it.
    pub fn routes<S: Clone + Send + Sync + 'static>(
        &self,
    ) -> impl Iterator<Item = (&str, MethodRouter<S>)> {
        self.files.iter().map(|(address, file)| {
            let file = file.clone();
            let serve = move |headers: HeaderMap| async move { file.respond(&headers) };
            (address.as_str(), get(serve))
        })
    }
}

/// The names that `cargo leptos` gives.
fn unhashed_assets() -> Assets {
    let address = |extension| format!("/assets/tonesa.{extension}");
    Assets {
        css: address("css"),
        js: address("js"),
        wasm: address("wasm"),
    }
}

fn load_folder(
    dir: &Path,
    address: &str,
    cache_control: &HeaderValue,
    files: &mut BTreeMap<String, Representation>,
) -> Result<(), SiteError> {
    for entry in fs::read_dir(dir).map_err(|source| unreadable(dir, source))? {
        let path = entry.map_err(|source| unreadable(dir, source))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let address = format!("{address}/{name}");
        if path.is_dir() {
            load_folder(&path, &address, cache_control, files)?;
        } else if !is_encoding(&path) {
            files.insert(address, load_file(&path, cache_control.clone())?);
        }
    }
    Ok(())
}

fn is_encoding(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "br" || extension == "gz")
}

fn load_file(path: &Path, cache_control: HeaderValue) -> Result<Representation, SiteError> {
    let encoded = |suffix: &str| {
        let path = PathBuf::from(format!("{}.{suffix}", path.display()));
        path.is_file().then(|| read(&path)).transpose()
    };
    let plain = read(path)?;
    Ok(
        Representation::new(content_type(path), cache_control, plain)
            .with_brotli(encoded("br")?)
            .with_gzip(encoded("gz")?),
    )
}

fn content_type(path: &Path) -> HeaderValue {
    let extension = path.extension().and_then(|extension| extension.to_str());
    HeaderValue::from_static(match extension.unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "html" => "text/html; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    })
}

fn read(path: &Path) -> Result<Vec<u8>, SiteError> {
    fs::read(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> SiteError {
    SiteError::Unreadable {
        path: path.to_owned(),
        source,
    }
}
