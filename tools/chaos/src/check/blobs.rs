//! No bytes without an upload, and no upload without bytes.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use super::first_few;
use crate::blobs::{Blob, BlobStore};
use crate::client::Api;
use crate::restores::Restores;
use crate::uploads::{End, Sent};

/// What is left of a deleted upload goes within seconds. What a node may still write late goes a minute after the
/// deletion, in one of the rounds of 15 s.
const TIMEOUT: Duration = Duration::from_secs(90);
const INTERVAL: Duration = Duration::from_secs(1);

/// What the stores may have beside each other.
pub struct Known<'a> {
    pub uploads: &'a [Sent],
    /// The images of uploads that were not acknowledged: they may be stored without an upload.
    pub unacknowledged: &'a [Vec<u8>],
    pub restores: &'a Restores,
}

/// Compares the blobs with the uploads that a node lists, until they are the same.
pub async fn blobs(node: &Api, store: &BlobStore, known: &Known<'_>) -> Result<Vec<String>> {
    let begin = Instant::now();
    loop {
        let errors = compare(node, store, known).await?;
        if errors.is_empty() || begin.elapsed() > TIMEOUT {
            return Ok(first_few(errors));
        }
        sleep(INTERVAL).await;
    }
}

async fn compare(node: &Api, store: &BlobStore, known: &Known<'_>) -> Result<Vec<String>> {
    let stored = store.list().await?;
    let uploads: HashSet<_> = node.all_uploads().await?.into_iter().collect();
    let sent = known.uploads.iter();
    let excused = sent
        .filter(|it| it.end == Some(End::Expired) || it.may_be_lost(known.restores))
        .map(|it| it.upload.short_id);
    let excused: HashSet<_> = excused.collect();
    let images = stored.iter().filter(|blob| blob.size.is_none());
    let images: HashSet<_> = images.map(|blob| blob.key).collect();
    let without_bytes = uploads
        .difference(&images)
        .filter(|key| !excused.contains(key));
    let mut errors: Vec<_> = without_bytes
        .map(|key| format!("upload {key} has no bytes"))
        .collect();
    for blob in stored {
        let Blob { key, size, .. } = &blob;
        if uploads.contains(key) || excused.contains(key) {
            continue;
        }
        let bytes = store.read(&blob).await.ok();
        let is_orphan =
            size.is_none() && bytes.is_some_and(|it| known.unacknowledged.contains(&it));
        if !is_orphan {
            let size = size.as_deref().unwrap_or("the image");
            errors.push(format!("{size} of {key} is stored without an upload"));
        }
    }
    Ok(errors)
}
