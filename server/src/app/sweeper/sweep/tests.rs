use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use app::model::{Content, Kind, MediaType, Timestamp, Upload, UploadId};
use tempfile::TempDir;

use self::swapped::Swapped;
use super::*;
use crate::blob::directory::DirectoryBlobs;
use crate::ids::PairingId;
use crate::store::sqlite::SqliteStore;

mod derived;
mod swapped;

const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = Duration::from_hours(7 * 24);

/// A store and blobs that are paired.
struct Fixture {
    folder: TempDir,
    blobs: DirectoryBlobs,
    store: SqliteStore,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = DirectoryBlobs::open(&folder.path().join("blobs")).unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let paired = pairing::check(&store, &blobs).await.unwrap();
        assert!(matches!(paired, Pairing::Paired(_)));
        Self {
            folder,
            blobs,
            store,
        }
    }

    /// Puts an image without an upload.
    async fn put(&self, key: &str) -> ShortId {
        let key = key.parse().unwrap();
        let file = tempfile::NamedTempFile::new_in(self.blobs.temp_dir()).unwrap();
        self.blobs.put(key, file.into_temp_path()).await.unwrap();
        key
    }

    async fn insert(&self, key: ShortId) {
        self.store.insert_upload(upload(key), None).await.unwrap();
    }

    /// Puts images with their uploads.
    async fn put_used(&self, count: usize) {
        for n in 0..count {
            let key = self.put(&format!("used{n:04}")).await;
            self.insert(key).await;
        }
    }

    /// Sweeps as if it were that much later.
    async fn sweep(&self, later: Duration) -> Result<SweepStats, SweepError> {
        self.sweep_at(SystemTime::now() + later, &self.store).await
    }

    async fn sweep_at(&self, now: SystemTime, store: &dyn Store) -> Result<SweepStats, SweepError> {
        let sweep = Sweep {
            blobs: &self.blobs,
            store,
            mark_duration: WEEK,
            pause: Duration::ZERO,
            now,
        };
        sweep.run().await
    }

    async fn images(&self) -> usize {
        self.blobs.list(None, 100_000).await.unwrap().len()
    }

    async fn marked(&self) -> Vec<ShortId> {
        let marks = self.blobs.orphan_marks(None, 100_000).await.unwrap();
        marks.iter().map(|mark| mark.key).collect()
    }

    /// Makes the mark older than it is.
    fn age_mark(&self, name: &str, age: Duration) {
        let mark = self.folder.path().join("blobs/orphans").join(name);
        let file = File::options().write(true).open(mark).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
}

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
        expires_at: None,
    }
}

fn swept(marked: usize, unmarked: usize, removed: usize) -> SweepStats {
    SweepStats {
        marked,
        unmarked,
        removed,
    }
}

#[tokio::test]
async fn an_old_orphan_is_marked_for_a_week_and_then_removed() {
    let fixture = Fixture::new().await;
    let orphan = fixture.put("orphan00").await;
    fixture.put_used(1).await;
    let (hour, six_days) = (Duration::from_hours(1), 6 * DAY);
    assert_eq!(fixture.sweep(Duration::ZERO).await, Ok(swept(0, 0, 0)));
    let past = SystemTime::now() - 2 * DAY;
    assert_eq!(
        fixture.sweep_at(past, &fixture.store).await,
        Ok(swept(0, 0, 0))
    );
    assert_eq!(fixture.sweep(DAY + hour).await, Ok(swept(1, 0, 0)));
    assert_eq!(fixture.marked().await, [orphan]);
    assert_eq!(fixture.sweep(six_days).await, Ok(swept(0, 0, 0)));
    assert_eq!(fixture.images().await, 2);
    assert_eq!(fixture.sweep(WEEK + hour).await, Ok(swept(0, 0, 1)));
    assert_eq!(
        (fixture.images().await, fixture.marked().await),
        (1, vec![])
    );
    assert_eq!(fixture.sweep(2 * WEEK).await, Ok(swept(0, 0, 0)));
}

#[tokio::test]
async fn a_mark_is_taken_back_once_the_store_knows_the_image() {
    let fixture = Fixture::new().await;
    let orphan = fixture.put("orphan00").await;
    assert_eq!(fixture.sweep(2 * DAY).await, Ok(swept(1, 0, 0)));
    fixture.insert(orphan).await;
    assert_eq!(fixture.sweep(2 * WEEK).await, Ok(swept(0, 1, 0)));
    assert_eq!(
        (fixture.images().await, fixture.marked().await),
        (1, vec![])
    );
}

#[tokio::test]
async fn a_mark_whose_image_is_gone_is_removed() {
    let fixture = Fixture::new().await;
    let orphan = fixture.put("orphan00").await;
    assert_eq!(fixture.sweep(2 * DAY).await, Ok(swept(1, 0, 0)));
    fixture.blobs.delete(orphan).await.unwrap();
    assert_eq!(fixture.sweep(2 * DAY).await, Ok(swept(0, 0, 0)));
    assert_eq!(fixture.marked().await, []);
}

#[tokio::test]
async fn nothing_is_marked_when_more_than_one_in_twenty_images_are_orphans() {
    let fixture = Fixture::new().await;
    fixture.put_used(399).await;
    for n in 0..20 {
        fixture.put(&format!("lost{n:04}")).await;
    }
    assert_eq!(fixture.sweep(2 * DAY).await, Ok(swept(20, 0, 0)));
    fixture.put("lost0020").await;
    // 21 of 420 are exactly one in twenty.
    assert_eq!(fixture.sweep(2 * DAY).await, Ok(swept(1, 0, 0)));
    fixture.put("lost0021").await;
    let too_many = SweepError::TooMany {
        orphans: 22,
        images: 421,
    };
    assert_eq!(fixture.sweep(2 * WEEK).await, Err(too_many));
    assert_eq!(
        (fixture.images().await, fixture.marked().await.len()),
        (421, 21)
    );
}

#[tokio::test]
async fn a_few_orphans_are_marked_whatever_their_share() {
    let fixture = Fixture::new().await;
    for n in 0..20 {
        fixture.put(&format!("lost{n:04}")).await;
    }
    assert_eq!(fixture.sweep(2 * DAY).await, Ok(swept(20, 0, 0)));
}

#[tokio::test]
async fn a_sweep_looks_at_every_batch() {
    let fixture = Fixture::new().await;
    fixture.put("aaaa0000").await;
    let shelf = fixture.folder.path().join("blobs/61/61");
    for n in 1..=BATCH_SIZE {
        let bytes = format!("aaaa{n:04}").into_bytes();
        let name = format!("{:016x}", u64::from_be_bytes(bytes.try_into().unwrap()));
        fs::write(shelf.join(name), "bytes").unwrap();
    }
    let images = BATCH_SIZE + 1;
    let too_many = SweepError::TooMany {
        orphans: images,
        images,
    };
    assert_eq!(fixture.sweep(2 * DAY).await, Err(too_many));
    assert_eq!(fixture.images().await, images);
}

#[tokio::test]
async fn nothing_is_removed_while_the_store_is_unavailable() {
    let fixture = Fixture::new().await;
    fixture.put("orphan00").await;
    fixture.store.close().await;
    let swept = fixture.sweep(2 * WEEK).await;
    assert_eq!(swept, Err(SweepError::Store(StoreError::Unavailable)));
    assert_eq!(
        (fixture.images().await, fixture.marked().await),
        (1, vec![])
    );
}

#[tokio::test]
async fn nothing_is_removed_with_a_different_or_an_empty_store() {
    let fixture = Fixture::new().await;
    fixture.put_used(3).await;
    let (folder, later) = (tempfile::tempdir().unwrap(), SystemTime::now() + 2 * WEEK);
    let other = SqliteStore::open(folder.path()).unwrap();
    for _ in 0..2 {
        let swept = fixture.sweep_at(later, &other).await;
        assert!(
            matches!(swept, Err(SweepError::Unpaired(Pairing::Mismatch { .. }))),
            "{swept:?}"
        );
        other.pair(PairingId::random()).await.unwrap();
    }
    assert_eq!(
        (fixture.images().await, fixture.marked().await),
        (3, vec![])
    );
}

fn move_database(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let name = format!("tonesa.db{end}");
        fs::rename(from.join(&name), to.join(&name)).unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_removed_while_the_database_is_moved_away() {
    let fixture = Fixture::new().await;
    fixture.put_used(3).await;
    fixture.put("orphan00").await;
    assert_eq!(fixture.sweep(2 * DAY).await, Ok(swept(1, 0, 0)));
    fixture.age_mark("6f727068616e3030", 2 * WEEK);
    let (home, away) = (fixture.folder.path(), tempfile::tempdir().unwrap());
    move_database(home, away.path());
    let gone = fixture.sweep(2 * DAY).await;
    assert_eq!(gone, Err(SweepError::Store(StoreError::Moved)));
    // Another database takes its place, and even has its id.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = SqliteStore::open(elsewhere.path()).unwrap();
    let id = fixture.blobs.pairing().await.unwrap().unwrap();
    other.pair(id).await.unwrap();
    other.close().await;
    fs::copy(elsewhere.path().join("tonesa.db"), home.join("tonesa.db")).unwrap();
    let replaced = fixture.sweep(2 * DAY).await;
    assert_eq!(replaced, Err(SweepError::Store(StoreError::Moved)));
    assert_eq!(fixture.images().await, 4);
    for end in ["", "-wal", "-shm"] {
        drop(fs::remove_file(home.join(format!("tonesa.db{end}"))));
    }
    move_database(away.path(), home);
    assert_eq!(fixture.sweep(2 * DAY).await, Ok(swept(0, 0, 1)));
    assert_eq!(fixture.images().await, 3);
}

#[tokio::test]
async fn nothing_is_removed_when_the_store_is_replaced_during_a_sweep() {
    let fixture = Fixture::new().await;
    fixture.put("orphan00").await;
    let Fixture {
        folder,
        blobs,
        store,
    } = fixture;
    let store = Arc::new(store);
    let swapped = Swapped {
        store: Arc::clone(&store),
        checks: AtomicUsize::new(0),
    };
    let sweep = Sweep {
        blobs: &blobs,
        store: &swapped,
        mark_duration: WEEK,
        pause: Duration::ZERO,
        now: SystemTime::now() + 2 * DAY,
    };
    let swept = sweep.run().await;
    assert!(matches!(swept, Err(SweepError::Unpaired(_))), "{swept:?}");
    assert_eq!(blobs.orphan_marks(None, 9).await.unwrap(), []);
    drop(folder);
}
