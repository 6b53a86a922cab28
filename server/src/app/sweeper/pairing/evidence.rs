//! Whether what lies in the store and in the blobs is the same images, where neither has the other's id: as it is when
//! both are from before there were ids.

use app::model::ShortId;

use super::error::CheckError;
use crate::blob::{BlobError, Blobs};
use crate::ids;
use crate::store::Store;

/// How many of the newest uploads are looked for among the blobs.
const UPLOADS: usize = 50;
/// How many stretches of the blobs are looked for in the store, each from a random key on.
const STRETCHES: usize = 10;
/// How many blobs a stretch has.
const STRETCH: usize = 20;
/// One in so many may be missing: an image that was removed by hand, an upload that was cut short.
const ONE_IN: usize = 20;

/// What was looked for on the other side.
#[derive(Default)]
struct Sample {
    found: usize,
    missing: usize,
}

impl Sample {
    fn note(&mut self, is_there: bool) {
        if is_there {
            self.found += 1;
        } else {
            self.missing += 1;
        }
    }

    fn is_good(&self) -> bool {
        self.found > 0 && self.missing * ONE_IN <= self.found + self.missing
    }
}

/// Whether nearly all of the newest uploads have their blobs, and nearly all of some random blobs have their uploads.
pub(super) async fn is_good(store: &dyn Store, blobs: &dyn Blobs) -> Result<bool, CheckError> {
    let mut uploads = Sample::default();
    for key in store.newest_uploads(UPLOADS).await? {
        uploads.note(has(blobs, key).await?);
    }
    if !uploads.is_good() {
        return Ok(false);
    }
    let mut images = Sample::default();
    for stretch in 0..STRETCHES {
        let after = (stretch > 0).then(ids::short_id);
        for entry in blobs.list(after, STRETCH).await? {
            images.note(store.has_short_id(entry.key).await?);
        }
    }
    Ok(images.is_good())
}

/// Whether there is such a blob.
async fn has(blobs: &dyn Blobs, key: ShortId) -> Result<bool, BlobError> {
    match blobs.read(key, 0..0).await {
        Ok(_) => Ok(true),
        Err(BlobError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}
