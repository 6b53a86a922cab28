//! Orphans: blobs that were put, but whose upload was never stored, say because the node died in between.
//!
//! Nothing is deleted on doubt. An orphan is marked first and removed when it has been marked for days; a mark is taken
//! back as soon as the store knows the blob. A sweep ends without having taken anything when the store and the blobs
//! do not prove that they belong together, or when there are too many orphans to believe in.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use app::model::ShortId;
use thiserror::Error;
use tracing::{info, warn};

use super::pairing::{self, CheckError, Pairing};
use crate::blob::{BlobEntry, BlobError, Blobs};
use crate::store::{Store, StoreError};

/// The most blobs that are listed at a time.
const STRETCH: usize = 1_000;
/// The most orphans that one sweep marks or removes, and the most marks that it looks at. The next one goes on.
const MAX_ORPHANS: usize = 10_000;
/// How many orphans are taken before the store and the blobs have to prove again that they belong together.
const PER_PROOF: usize = 100;
/// So many orphans are believed in whatever their share is.
const FEW: usize = 20;
/// More than one orphan in so many blobs is not believed in.
const ONE_IN: usize = 20;
/// A younger blob may belong to an upload that is under way.
pub const MIN_AGE: Duration = Duration::from_hours(24);

/// Why a sweep ended early. The next one starts over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SweepError {
    /// The blobs cannot be listed, marked or removed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The store cannot say whether a blob is in use.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store and the blobs do not prove that they belong together.
    #[error("the store and the images do not prove that they belong together")]
    Unpaired(Pairing),
    /// There are too many orphans to believe in. None was marked or removed.
    #[error("{orphans} of {images} images belong to no upload, which is too many to be believed")]
    TooMany {
        /// Blobs that no upload refers to.
        orphans: usize,
        /// All blobs.
        images: usize,
    },
}

impl From<CheckError> for SweepError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Blobs(error) => Self::Blobs(error),
            CheckError::Store(error) => Self::Store(error),
        }
    }
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Orphans that were marked.
    pub marked: usize,
    /// Marks that were taken back, since an upload refers to the blob.
    pub put_back: usize,
    /// Orphans that were removed.
    pub removed: usize,
}

/// A sweep, and what it goes by.
pub struct Sweep<'a> {
    /// What is swept.
    pub blobs: &'a dyn Blobs,
    /// Who knows which blobs are in use.
    pub store: &'a dyn Store,
    /// How long an orphan is marked before it is removed.
    pub set_aside_for: Duration,
    /// The pause between two stretches, so that readers do not notice.
    pub pause: Duration,
    /// Now.
    pub now: SystemTime,
}

/// What was found.
#[derive(Default)]
struct Found {
    images: usize,
    orphans: usize,
    /// The first [`MAX_ORPHANS`] of them.
    keys: Vec<ShortId>,
}

impl Found {
    fn is_believable(&self) -> bool {
        self.orphans <= FEW || self.orphans * ONE_IN <= self.images
    }
}

impl Sweep<'_> {
    /// Looks through all blobs: takes marks back from those that an upload refers to, marks those older than
    /// [`MIN_AGE`] that none refers to, and removes those that have been marked for long enough.
    ///
    /// # Errors
    /// See [`SweepError`]. What was done by then stays done.
    pub async fn run(&self) -> Result<Swept, SweepError> {
        self.prove_pairing().await?;
        let mut swept = Swept::default();
        let marks = self.marks(&mut swept).await?;
        let found = self.find_orphans().await?;
        if !found.is_believable() {
            let Found {
                images, orphans, ..
            } = found;
            return Err(SweepError::TooMany { orphans, images });
        }
        for keys in found.keys.chunks(PER_PROOF) {
            // The store may have been another one for a moment while the orphans were looked for.
            self.prove_pairing().await?;
            for key in keys {
                self.take(*key, marks.get(key), &mut swept).await?;
            }
        }
        self.forget_stale_marks(&marks).await?;
        Ok(swept)
    }

    /// Takes marks back from blobs that an upload refers to, and nothing else: another node, whose store lacks some
    /// uploads, may have made them. It needs no proof that the two belong together, since it takes nothing.
    ///
    /// # Errors
    /// See [`SweepError`]. What was done by then stays done.
    pub async fn take_marks_back(&self) -> Result<Swept, SweepError> {
        let mut swept = Swept::default();
        let mut after = None;
        loop {
            let marks = self.blobs.orphan_marks(after, STRETCH).await?;
            after = (marks.last().map(|mark| mark.key)).filter(|_| marks.len() == STRETCH);
            for mark in marks {
                self.take_mark_back(mark.key, &mut swept).await?;
            }
            if after.is_none() {
                return Ok(swept);
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    /// Whether an upload refers to the blob.
    async fn take_mark_back(&self, key: ShortId, swept: &mut Swept) -> Result<bool, SweepError> {
        let is_used = self.store.has_short_id(key).await?;
        if is_used {
            self.blobs.unmark_orphan(key).await?;
            warn!(%key, "put back an image that had been set aside: an upload refers to it");
            swept.put_back += 1;
        }
        Ok(is_used)
    }

    async fn prove_pairing(&self) -> Result<(), SweepError> {
        match pairing::check(self.store, self.blobs).await? {
            Pairing::Paired(_) => Ok(()),
            pairing => Err(SweepError::Unpaired(pairing)),
        }
    }

    /// When blobs were marked, of those whose mark stays: it is taken back where an upload refers to the blob.
    async fn marks(&self, swept: &mut Swept) -> Result<BTreeMap<ShortId, SystemTime>, SweepError> {
        let mut marks = BTreeMap::new();
        for mark in self.blobs.orphan_marks(None, MAX_ORPHANS).await? {
            if !self.take_mark_back(mark.key, swept).await? {
                marks.insert(mark.key, mark.modified);
            }
        }
        Ok(marks)
    }

    async fn find_orphans(&self) -> Result<Found, SweepError> {
        let mut found = Found::default();
        let mut after = None;
        loop {
            let entries = self.blobs.list(after, STRETCH).await?;
            found.images += entries.len();
            after = (entries.last().map(|entry| entry.key)).filter(|_| entries.len() == STRETCH);
            for entry in entries {
                if self.is_old(&entry, MIN_AGE) && !self.store.has_short_id(entry.key).await? {
                    found.orphans += 1;
                    if found.keys.len() < MAX_ORPHANS {
                        found.keys.push(entry.key);
                    }
                }
            }
            if after.is_none() {
                return Ok(found);
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    /// Marks an orphan, or removes one whose mark is old enough.
    async fn take(
        &self,
        key: ShortId,
        marked: Option<&SystemTime>,
        swept: &mut Swept,
    ) -> Result<(), SweepError> {
        if self.store.has_short_id(key).await? {
            return Ok(());
        }
        match marked {
            None => {
                self.blobs.mark_orphan(key).await?;
                info!(%key, "set aside an image that no upload refers to");
                swept.marked += 1;
            }
            Some(since) if self.has_passed(*since, self.set_aside_for) => {
                self.blobs.delete(key).await?;
                self.blobs.unmark_orphan(key).await?;
                info!(%key, "removed an image that no upload has referred to for days");
                swept.removed += 1;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// A mark whose blob is gone, as after a death between the two, would make a later blob of that key look old.
    async fn forget_stale_marks(
        &self,
        marks: &BTreeMap<ShortId, SystemTime>,
    ) -> Result<(), SweepError> {
        for key in marks.keys() {
            if matches!(self.blobs.read(*key, 0..0).await, Err(BlobError::NotFound)) {
                self.blobs.unmark_orphan(*key).await?;
            }
        }
        Ok(())
    }

    fn is_old(&self, entry: &BlobEntry, age: Duration) -> bool {
        self.has_passed(entry.modified, age)
    }

    /// Not when that moment is in the future, as a clock that was set may have it.
    fn has_passed(&self, since: SystemTime, time: Duration) -> bool {
        self.now
            .duration_since(since)
            .is_ok_and(|passed| passed >= time)
    }
}

#[cfg(test)]
mod tests;
