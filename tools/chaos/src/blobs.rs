//! What is in a blob store: images, and the smaller pictures that were made of them.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use app::model::ShortId;
use reqwest::Client;
use serde::Deserialize;
use tokio::task::spawn_blocking;
use walkdir::WalkDir;

/// Names in a folder of the S3 server's file server that are asked for at once.
const PAGE_SIZE: usize = 1_000;
const FOLDER: u32 = 1 << 31;

/// The blobs of some nodes.
#[derive(Debug, Clone)]
pub enum BlobStore {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket, which the S3 server's file server has at this address.
    Bucket(Client, String),
}

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    pub key: ShortId,
    /// `None` for the image itself.
    pub size: Option<String>,
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    #[serde(default)]
    entries: Option<Vec<Listed>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    full_path: String,
    mode: u32,
}

impl BlobStore {
    pub async fn list(&self) -> Result<Vec<Blob>> {
        let paths = match self.clone() {
            Self::Folder(folder) => spawn_blocking(move || files_in(&folder)).await??,
            Self::Bucket(http, url) => objects(&http, &url).await?,
        };
        Ok(paths.into_iter().filter_map(parse).collect())
    }

    pub async fn read(&self, blob: &Blob) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Folder(folder) => fs::read(folder.join(&blob.path))?,
            Self::Bucket(http, url) => {
                let answer = http.get(format!("{url}{}", blob.path)).send().await?;
                answer.error_for_status()?.bytes().await?.to_vec()
            }
        })
    }
}

fn files_in(folder: &PathBuf) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(folder)?;
            paths.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(paths)
}

async fn objects(http: &Client, url: &str) -> Result<Vec<String>> {
    let (mut paths, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        let mut last = String::new();
        loop {
            let query = format!("?limit={PAGE_SIZE}&lastFileName={last}");
            let request = http.get(format!("{url}{folder}{query}"));
            let request = request.header("Accept", "application/json");
            let answer = request.send().await?.error_for_status()?;
            let listing: Listing = answer.json().await.context("listing the bucket")?;
            let entries = listing.entries.unwrap_or_default();
            let count = entries.len();
            for entry in entries {
                let name = entry.full_path.rsplit('/').next().unwrap_or_default();
                if entry.mode & FOLDER == 0 {
                    paths.push(format!("{folder}{name}"));
                } else {
                    folders.push(format!("{folder}{name}/"));
                }
                name.clone_into(&mut last);
            }
            if count < PAGE_SIZE {
                break;
            }
        }
    }
    Ok(paths)
}

/// A folder names its files by their keys' bytes in hexadecimal digits.
fn parse(path: String) -> Option<Blob> {
    let parts: Vec<_> = path.split('/').collect();
    let (key, size) = match parts[..] {
        ["orphans", ..] | [] => return None,
        ["derived", .., key, size] => (key, Some(size.to_owned())),
        [.., key] => (key, None),
    };
    let decoded = (key.len() == 16).then(|| {
        let bytes = key.as_bytes().chunks(2);
        let digits = bytes.filter_map(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok());
        String::from_utf8(digits.collect()).unwrap_or_default()
    });
    let key = decoded.as_deref().unwrap_or(key).parse().ok()?;
    Some(Blob { key, size, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_the_paths_of_both_stores() {
        let read = |path: &str| parse(path.to_owned()).map(|blob| (blob.key, blob.size));
        let key: ShortId = "aB3dE9zZ".parse().unwrap();
        let size = Some("640-1".to_owned());
        assert_eq!(read("aB3dE9zZ"), Some((key, None)));
        assert_eq!(read("derived/aB3dE9zZ/640-1"), Some((key, size.clone())));
        assert_eq!(read("61/42/6142336445397a5a"), Some((key, None)));
        let derived = read("derived/61/42/6142336445397a5a/640-1");
        assert_eq!(derived, Some((key, size)));
        for other in ["pairing.id", "orphans/aB3dE9zZ", "tmp/.tmpAb1Cd2"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
