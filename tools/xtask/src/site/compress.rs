//! Compressed copies of the files, so that the server does not compress them.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use brotli::CompressorWriter;
use flate2::{Compression, write::GzEncoder};

const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW: u32 = 22;
/// Pictures and fonts are compressed by their own formats.
const COMPRESSIBLE: [&str; 9] = [
    "css",
    "html",
    "ico",
    "js",
    "json",
    "svg",
    "txt",
    "wasm",
    "webmanifest",
];

/// Writes the file, and compressed copies `.br` and `.gz` if they are smaller.
pub fn write_with_copies(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
    };
    write(path, bytes)?;
    if !is_compressible(path) {
        return Ok(());
    }
    for (extension, compressed) in [("br", brotli(bytes)?), ("gz", gzip(bytes)?)] {
        if compressed.len() < bytes.len() {
            write(&with_suffix(path, extension), &compressed)?;
        }
    }
    Ok(())
}

fn is_compressible(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| COMPRESSIBLE.iter().any(|known| extension == *known))
}

/// `tonesa.js` and `br` give `tonesa.js.br`.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = CompressorWriter::new(
        Vec::new(),
        bytes.len().max(1),
        BROTLI_QUALITY,
        BROTLI_WINDOW,
    );
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn both_copies_decompress_to_the_original() {
        let text = "a line that comes again\n".repeat(500).into_bytes();
        let mut from_brotli = Vec::new();
        brotli::Decompressor::new(&*brotli(&text).unwrap(), 4096)
            .read_to_end(&mut from_brotli)
            .unwrap();
        let mut from_gzip = Vec::new();
        flate2::read::GzDecoder::new(&*gzip(&text).unwrap())
            .read_to_end(&mut from_gzip)
            .unwrap();
        assert_eq!(from_brotli, text);
        assert_eq!(from_gzip, text);
    }

    #[test]
    fn only_files_that_get_smaller_have_copies() {
        let folder = tempfile::tempdir().unwrap();
        let long = "a line that comes again\n".repeat(50);
        for (name, text) in [
            ("long.css", &*long),
            ("short.txt", "x"),
            ("picture.png", &*long),
        ] {
            write_with_copies(&folder.path().join(name), text.as_bytes()).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "long.css",
                "long.css.br",
                "long.css.gz",
                "picture.png",
                "short.txt"
            ]
        );
    }
}
