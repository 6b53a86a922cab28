//! Compares samples of a store and a blob store that have no common id, as both were before there were ids: whether
//! they hold the same images.

use app::model::ShortId;

use super::error::CheckError;
use crate::blob::{BlobError, Blobs};
use crate::ids;
use crate::store::Store;

/// How many of the newest uploads are looked up among the blobs.
const UPLOAD_SAMPLE: usize = 50;
/// How many batches of blobs are looked up in the store, each from a random key on.
const BATCHES: usize = 10;
/// How many blobs a batch has.
const BATCH_SIZE: usize = 20;
/// One in this many may be missing: an image that was removed by hand, an upload that was interrupted.
const MIN_FOUND_PER_MISSING: usize = 20;

/// How many of the items looked up exist on the other side.
#[derive(Default)]
struct Sample {
    found: usize,
    missing: usize,
}

impl Sample {
    fn add(&mut self, exists: bool) {
        if exists {
            self.found += 1;
        } else {
            self.missing += 1;
        }
    }

    fn is_good(&self) -> bool {
        self.found > 0 && self.missing * MIN_FOUND_PER_MISSING <= self.found + self.missing
    }
}

/// Returns whether nearly all of the newest uploads have their blobs, and nearly all of the sampled blobs their
/// uploads.
pub(super) async fn samples_match(
    store: &dyn Store,
    blobs: &dyn Blobs,
) -> Result<bool, CheckError> {
    let mut uploads = Sample::default();
    for key in store.newest_uploads(UPLOAD_SAMPLE).await? {
        uploads.add(has_blob(blobs, key).await?);
    }
    if !uploads.is_good() {
        return Ok(false);
    }
    let mut images = Sample::default();
    for batch in 0..BATCHES {
        let after = (batch > 0).then(ids::short_id);
        for entry in blobs.list(after, BATCH_SIZE).await? {
            images.add(store.has_short_id(entry.key).await?);
        }
    }
    Ok(images.is_good())
}

/// Returns whether the blob exists.
async fn has_blob(blobs: &dyn Blobs, key: ShortId) -> Result<bool, BlobError> {
    match blobs.read(key, 0..0).await {
        Ok(_) => Ok(true),
        Err(BlobError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}
