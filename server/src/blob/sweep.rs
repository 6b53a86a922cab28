//! Orphans: blobs that were put, but whose upload was never stored, say because the node died in between.

use std::time::{Duration, SystemTime};

use app::model::ShortId;
use thiserror::Error;
use tracing::info;

use super::{BlobEntry, BlobError, Blobs};
use crate::store::{Store, StoreError};

/// The most blobs that one run looks at.
pub const MAX_LOOKED_AT: usize = 1_000;

/// A younger blob may belong to an upload that is under way.
pub const MIN_AGE: Duration = Duration::from_hours(24);

/// Why a run ended early. What it removed stays removed; the next run starts where this one did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SweepError {
    /// The blobs cannot be listed or removed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The store cannot say whether a blob is in use.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Orphans that were removed.
    pub removed: usize,
    /// Where the next run goes on; `None` after the last blob: start over, some other day.
    pub next: Option<ShortId>,
}

/// One run: removes those of the next [`MAX_LOOKED_AT`] blobs after `after` that are older than [`MIN_AGE`] and that no
/// upload refers to. A blob is kept whenever that is in doubt.
///
/// # Errors
/// When the blobs or the store are away.
pub async fn sweep(
    blobs: &dyn Blobs,
    store: &dyn Store,
    after: Option<ShortId>,
    now: SystemTime,
) -> Result<Swept, SweepError> {
    let entries = blobs.list(after, MAX_LOOKED_AT).await?;
    let full = entries.len() == MAX_LOOKED_AT;
    let next = entries.last().filter(|_| full).map(|entry| entry.key);
    let mut removed = 0;
    for entry in entries {
        if is_old(&entry, now) && !store.has_short_id(entry.key).await? {
            blobs.delete(entry.key).await?;
            info!(key = %entry.key, "removed an image that no upload refers to");
            removed += 1;
        }
    }
    Ok(Swept { removed, next })
}

/// Not when the blob is from the future, as a clock that was set may have it.
fn is_old(entry: &BlobEntry, now: SystemTime) -> bool {
    now.duration_since(entry.modified)
        .is_ok_and(|age| age >= MIN_AGE)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use app::model::{Content, Kind, MediaType, Timestamp, Upload, UploadId};

    use super::*;
    use crate::blob::directory::DirectoryBlobs;
    use crate::store::sqlite::SqliteStore;

    fn upload(short_id: ShortId) -> Upload {
        Upload {
            id: UploadId::from_bytes(rand::random()),
            short_id,
            kind: Kind::Image,
            content: Content {
                url: format!("/i/{short_id}"),
                media_type: MediaType::Png,
                size: 5,
                width: 1,
                height: 1,
            },
            created_at: Timestamp::from_unix_millis(0).unwrap(),
        }
    }

    async fn put(blobs: &DirectoryBlobs, key: &str) -> ShortId {
        let key = key.parse().unwrap();
        let file = tempfile::NamedTempFile::new_in(blobs.temp_dir()).unwrap();
        blobs.put(key, file.into_temp_path()).await.unwrap();
        key
    }

    #[tokio::test]
    async fn old_orphans_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = DirectoryBlobs::open(&folder.path().join("blobs")).unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let orphan = put(&blobs, "orphan00").await;
        let used = put(&blobs, "inUse000").await;
        store.insert_upload(upload(used)).await.unwrap();
        let now = SystemTime::now();
        for (when, removed) in [
            (now, 0),
            (now - Duration::from_hours(48), 0),
            (now + Duration::from_hours(25), 1),
            (now + Duration::from_hours(25), 0),
        ] {
            let swept = sweep(&blobs, &store, None, when).await.unwrap();
            assert_eq!(
                swept,
                Swept {
                    removed,
                    next: None
                }
            );
        }
        let left = blobs.list(None, 9).await.unwrap();
        assert_eq!(left.iter().map(|it| it.key).collect::<Vec<_>>(), [used]);
        assert_ne!(orphan, used);
    }

    #[tokio::test]
    async fn a_blob_is_kept_while_the_store_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = DirectoryBlobs::open(&folder.path().join("blobs")).unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        store.close().await;
        put(&blobs, "orphan00").await;
        let later = SystemTime::now() + Duration::from_hours(25);
        let swept = sweep(&blobs, &store, None, later).await;
        assert_eq!(swept, Err(SweepError::Store(StoreError::Unavailable)));
        assert_eq!(blobs.list(None, 9).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn runs_take_turns_through_many_blobs() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = DirectoryBlobs::open(&folder.path().join("blobs")).unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        put(&blobs, "aaaa0000").await;
        let shelf = folder.path().join("blobs/61/61");
        for n in 1..=MAX_LOOKED_AT {
            let bytes = format!("aaaa{n:04}").into_bytes();
            let name = format!("{:016x}", u64::from_be_bytes(bytes.try_into().unwrap()));
            fs::write(shelf.join(name), "bytes").unwrap();
        }
        let later = SystemTime::now() + Duration::from_hours(25);
        let first = sweep(&blobs, &store, None, later).await.unwrap();
        assert_eq!(first.removed, MAX_LOOKED_AT);
        let rest = sweep(&blobs, &store, first.next, later).await.unwrap();
        assert_eq!((rest.removed, rest.next), (1, None));
    }
}
