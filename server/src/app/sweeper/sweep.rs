//! One sweep. Orphans are blobs that were put but whose upload was never stored, for example because the node died in
//! between.
//!
//! Pictures that were derived from a blob belong to it, and are deleted with it. Those that have lost their blob, for
//! example because another node made one while it was deleted, are orphans like a blob.
//!
//! Nothing is deleted in doubt. An orphan is marked first, and removed when it has been marked for a week; it is
//! unmarked as soon as the store knows the blob. A sweep stops without deleting anything if the store and the blobs
//! do not belong together, or if there are too many orphans to be plausible.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use app::model::ShortId;
use thiserror::Error;
use tracing::{info, warn};

use super::pairing::{self, CheckError, Pairing};
use crate::blob::{BlobError, Blobs};
use crate::store::{MAX_SHORT_IDS, Store, StoreError};

/// How many blobs are listed at a time.
const BATCH_SIZE: usize = 1_000;
/// How many orphans one sweep marks or removes, and how many marks it looks at. The next sweep continues.
const MAX_ORPHANS: usize = 10_000;
/// How many orphans are marked or removed before the pairing is checked again.
const ORPHANS_PER_CHECK: usize = 100;
/// This many orphans are plausible whatever their share.
const ALWAYS_PLAUSIBLE: usize = 20;
/// More than one orphan in this many blobs is not plausible.
const MIN_BLOBS_PER_ORPHAN: usize = 20;
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
    /// The store and the blobs are not known to belong together.
    #[error("the store and the images are not known to belong together")]
    Unpaired(Pairing),
    /// There are too many orphans to be plausible. None was marked or removed.
    #[error("{orphans} of {images} images belong to no upload, which is too many to be plausible")]
    TooMany {
        /// Blobs that no upload refers to.
        orphans: usize,
        /// How many blobs there are, orphans or not.
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

/// How many images a sweep has marked, unmarked and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepStats {
    /// Orphans that were marked.
    pub marked: usize,
    /// Blobs that were unmarked, because an upload refers to them.
    pub unmarked: usize,
    /// Orphans that were removed.
    pub removed: usize,
}

/// One sweep, with its settings.
pub struct Sweep<'a> {
    /// The blobs to sweep.
    pub blobs: &'a dyn Blobs,
    /// Knows which blobs are in use.
    pub store: &'a dyn Store,
    /// How long an orphan stays marked before it is removed.
    pub mark_duration: Duration,
    /// The pause after each batch, so that a sweep does not slow readers down.
    pub pause: Duration,
    /// The time that the ages of blobs and marks are measured by.
    pub now: SystemTime,
}

/// The result of the search for orphans.
#[derive(Default)]
struct OrphanSearch {
    images: usize,
    orphans: usize,
    /// The first [`MAX_ORPHANS`] of them.
    keys: Vec<ShortId>,
}

impl OrphanSearch {
    fn is_plausible(&self) -> bool {
        self.orphans <= ALWAYS_PLAUSIBLE || self.orphans * MIN_BLOBS_PER_ORPHAN <= self.images
    }
}

impl Sweep<'_> {
    /// Looks through all blobs: unmarks those that an upload refers to, marks those older than [`MIN_AGE`] that none
    /// refers to, and removes those that have been marked for long enough.
    ///
    /// # Errors
    /// See [`SweepError`]. What was done until then is not undone.
    pub async fn run(&self) -> Result<SweepStats, SweepError> {
        self.check_pairing().await?;
        let mut stats = SweepStats::default();
        let marks = self.marks(&mut stats).await?;
        let found = self.find_orphans().await?;
        if !found.is_plausible() {
            let OrphanSearch {
                images, orphans, ..
            } = found;
            return Err(SweepError::TooMany { orphans, images });
        }
        for keys in found.keys.chunks(ORPHANS_PER_CHECK) {
            // The database may have been replaced while the orphans were looked for.
            self.check_pairing().await?;
            for key in keys {
                self.mark_or_remove(*key, marks.get(key), &mut stats)
                    .await?;
            }
        }
        self.remove_stale_marks(&marks, &found.keys).await?;
        Ok(stats)
    }

    /// Unmarks blobs that an upload refers to: another node, whose store lacks some uploads, may have marked them.
    /// Needs no pairing, since it deletes nothing.
    ///
    /// # Errors
    /// See [`SweepError`]. What was done until then is not undone.
    pub async fn unmark_used(&self) -> Result<SweepStats, SweepError> {
        let mut stats = SweepStats::default();
        let mut after = None;
        loop {
            let marks = self.blobs.orphan_marks(after, BATCH_SIZE).await?;
            after = (marks.last().map(|mark| mark.key)).filter(|_| marks.len() == BATCH_SIZE);
            for mark in marks {
                self.unmark_if_used(mark.key, &mut stats).await?;
            }
            if after.is_none() {
                return Ok(stats);
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    /// Unmarks the blob if an upload refers to it, and returns whether one does.
    async fn unmark_if_used(
        &self,
        key: ShortId,
        stats: &mut SweepStats,
    ) -> Result<bool, SweepError> {
        let is_used = self.store.has_short_id(key).await?;
        if is_used {
            self.blobs.unmark_orphan(key).await?;
            warn!("unmarked an image: an upload refers to it");
            stats.unmarked += 1;
        }
        Ok(is_used)
    }

    async fn check_pairing(&self) -> Result<(), SweepError> {
        match pairing::check(self.store, self.blobs).await? {
            Pairing::Paired(_) => Ok(()),
            pairing => Err(SweepError::Unpaired(pairing)),
        }
    }

    /// Returns when each marked blob was marked, without those that were unmarked here.
    async fn marks(
        &self,
        stats: &mut SweepStats,
    ) -> Result<BTreeMap<ShortId, SystemTime>, SweepError> {
        let mut marks = BTreeMap::new();
        for mark in self.blobs.orphan_marks(None, MAX_ORPHANS).await? {
            if !self.unmark_if_used(mark.key, stats).await? {
                marks.insert(mark.key, mark.modified);
            }
        }
        Ok(marks)
    }

    async fn find_orphans(&self) -> Result<OrphanSearch, SweepError> {
        let mut found = OrphanSearch::default();
        for are_derived in [false, true] {
            self.look_through(are_derived, &mut found).await?;
        }
        Ok(found)
    }

    /// Looks through all blobs, or through all keys of derived pictures.
    async fn look_through(
        &self,
        are_derived: bool,
        found: &mut OrphanSearch,
    ) -> Result<(), SweepError> {
        let mut after = None;
        loop {
            let entries = if are_derived {
                self.blobs.list_derived(after, BATCH_SIZE).await?
            } else {
                self.blobs.list(after, BATCH_SIZE).await?
            };
            if !are_derived {
                found.images += entries.len();
            }
            after = (entries.last().map(|entry| entry.key)).filter(|_| entries.len() == BATCH_SIZE);
            let old: Vec<_> = entries
                .iter()
                .filter(|entry| self.has_passed(entry.modified, MIN_AGE))
                .map(|entry| entry.key)
                .collect();
            for keys in old.chunks(MAX_SHORT_IDS) {
                for key in self.store.unused_short_ids(keys.to_vec()).await? {
                    // Those of an orphaned blob are deleted with it.
                    if !(are_derived && self.has_blob(key).await?) {
                        found.orphans += 1;
                        if found.keys.len() < MAX_ORPHANS {
                            found.keys.push(key);
                        }
                    }
                }
            }
            if after.is_none() {
                return Ok(());
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    async fn has_blob(&self, key: ShortId) -> Result<bool, SweepError> {
        match self.blobs.read(key, 0..0).await {
            Ok(_) => Ok(true),
            Err(BlobError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Marks an orphan, or removes it if its mark is old enough.
    async fn mark_or_remove(
        &self,
        key: ShortId,
        marked: Option<&SystemTime>,
        stats: &mut SweepStats,
    ) -> Result<(), SweepError> {
        if self.store.has_short_id(key).await? {
            return Ok(());
        }
        match marked {
            None => {
                self.blobs.mark_orphan(key).await?;
                info!("marked an image that no upload refers to");
                stats.marked += 1;
            }
            Some(since) if self.has_passed(*since, self.mark_duration) => {
                self.blobs.delete(key).await?;
                self.blobs.unmark_orphan(key).await?;
                info!(%key, "removed an image that no upload has referred to for a week");
                stats.removed += 1;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Removes marks of which nothing is left, as after a crash between the two. Such a mark would make a later blob of
    /// that key look old.
    async fn remove_stale_marks(
        &self,
        marks: &BTreeMap<ShortId, SystemTime>,
        orphans: &[ShortId],
    ) -> Result<(), SweepError> {
        let orphans: BTreeSet<_> = orphans.iter().collect();
        for key in marks.keys().filter(|key| !orphans.contains(key)) {
            if !self.has_blob(*key).await? {
                self.blobs.unmark_orphan(*key).await?;
            }
        }
        Ok(())
    }

    /// False if `since` is in the future, as after a clock change.
    fn has_passed(&self, since: SystemTime, time: Duration) -> bool {
        self.now
            .duration_since(since)
            .is_ok_and(|passed| passed >= time)
    }
}

#[cfg(test)]
mod tests;
