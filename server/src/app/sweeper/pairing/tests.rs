use std::fs;
use std::path::Path;

use app::model::ShortId;
use tempfile::TempDir;

use super::*;
use crate::blob::BlobError;
use crate::blob::directory::DirectoryBlobs;
use crate::ids;
use crate::store::conformance::some_upload;
use crate::store::sqlite::{DATABASE_FILE, SqliteStore};

/// A data folder with a store and blobs in it, both open.
struct Kit {
    folder: TempDir,
    store: SqliteStore,
    blobs: DirectoryBlobs,
}

fn blobs(folder: &Path) -> DirectoryBlobs {
    DirectoryBlobs::open(&folder.join("images")).unwrap()
}

impl Kit {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: SqliteStore::open(folder.path()).unwrap(),
            blobs: blobs(folder.path()),
            folder,
        }
    }

    async fn check(&self) -> Result<Pairing, CheckError> {
        check(&self.store, &self.blobs).await
    }

    async fn paired(&self) -> PairingId {
        match self.check().await.unwrap() {
            Pairing::Paired(id) => id,
            other => panic!("{other:?}"),
        }
    }

    async fn put_image(&self, key: ShortId) {
        let file = tempfile::NamedTempFile::new_in(self.blobs.temp_dir()).unwrap();
        self.blobs.put(key, file.into_temp_path()).await.unwrap();
    }

    /// Uploads with their images, or some of these missing.
    async fn put_uploads(&self, count: usize, has_image: impl Fn(usize) -> bool) {
        for n in 0..count {
            let upload = some_upload();
            if has_image(n) {
                self.put_image(upload.short_id).await;
            }
            self.store.insert_upload(upload).await.unwrap();
        }
    }

    async fn put_orphans(&self, count: usize) {
        for _ in 0..count {
            self.put_image(ids::short_id()).await;
        }
    }

    fn pairing_file(&self) -> std::path::PathBuf {
        self.folder.path().join("images/pairing.id")
    }
}

#[tokio::test]
async fn a_new_store_and_new_blobs_get_one_id_and_keep_it() {
    let kit = Kit::new();
    let id = kit.paired().await;
    assert_eq!(kit.store.pairing().await, Ok(Some(id)));
    assert_eq!(kit.blobs.pairing().await, Ok(Some(id)));
    assert_eq!(kit.paired().await, id);
    kit.put_uploads(2, |_| true).await;
    kit.put_orphans(9).await;
    assert_eq!(kit.paired().await, id);
}

#[tokio::test]
async fn a_death_between_the_two_writes_is_made_up_for() {
    let kit = Kit::new();
    let id = kit.store.pair(PairingId::random()).await.unwrap();
    assert_eq!(kit.blobs.pairing().await, Ok(None));
    assert_eq!(kit.paired().await, id);
}

#[tokio::test]
async fn what_is_from_before_there_were_ids_is_paired_when_it_shows_to_be_the_same_images() {
    let kit = Kit::new();
    // One image was removed by hand and one upload cut short.
    kit.put_uploads(60, |n| n != 50).await;
    kit.put_orphans(1).await;
    kit.paired().await;
}

#[tokio::test]
async fn images_that_the_store_does_not_know_are_not_its_own() {
    let kit = Kit::new();
    kit.put_orphans(1).await;
    let Pairing::Unproven { store } = kit.check().await.unwrap() else {
        panic!("an empty store and one image");
    };
    kit.put_uploads(20, |_| true).await;
    kit.put_orphans(9).await;
    assert_eq!(kit.check().await, Ok(Pairing::Unproven { store }));
    assert_eq!(kit.blobs.pairing().await, Ok(None));
}

#[tokio::test]
async fn a_store_whose_uploads_have_no_images_here_is_not_theirs() {
    let kit = Kit::new();
    kit.put_uploads(20, |n| n < 15).await;
    assert!(matches!(kit.check().await, Ok(Pairing::Unproven { .. })));
}

#[tokio::test]
async fn a_store_that_is_new_or_another_one_is_told_and_stays_as_it_is() {
    let kit = Kit::new();
    let id = kit.paired().await;
    let folder = tempfile::tempdir().unwrap();
    let other = SqliteStore::open(folder.path()).unwrap();
    let mismatch = |store| Ok(Pairing::Mismatch { store, blobs: id });
    assert_eq!(check(&other, &kit.blobs).await, mismatch(None));
    assert_eq!(other.pairing().await, Ok(None), "its own may come back");
    let its_own = other.pair(PairingId::random()).await.unwrap();
    assert_eq!(check(&other, &kit.blobs).await, mismatch(Some(its_own)));
    // A person says that they belong together.
    fs::write(kit.pairing_file(), format!("  {its_own}\r\n")).unwrap();
    let paired = Pairing::Paired(its_own);
    assert_eq!(check(&other, &kit.blobs).await, Ok(paired));
}

#[tokio::test]
async fn an_id_that_is_none_is_trouble_and_not_an_absent_one() {
    let kit = Kit::new();
    kit.paired().await;
    for text in [
        "",
        "0123",
        &"g".repeat(32),
        &"0".repeat(33),
        "+0000000000000000000000000000001",
    ] {
        fs::write(kit.pairing_file(), text).unwrap();
        let told = kit.check().await;
        assert_eq!(
            told,
            Err(CheckError::Blobs(BlobError::Unavailable)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_restored_backup_of_either_side_brings_its_id() {
    let kit = Kit::new();
    let id = kit.paired().await;
    kit.put_uploads(3, |_| true).await;
    kit.store.close().await;
    let copy = tempfile::tempdir().unwrap();
    let database = |folder: &Path| folder.join(DATABASE_FILE);
    fs::copy(database(kit.folder.path()), database(copy.path())).unwrap();
    let restored = SqliteStore::open(copy.path()).unwrap();
    assert_eq!(check(&restored, &kit.blobs).await, Ok(Pairing::Paired(id)));
    let new_folder = tempfile::tempdir().unwrap();
    let new_blobs = blobs(new_folder.path());
    fs::copy(
        kit.pairing_file(),
        new_folder.path().join("images/pairing.id"),
    )
    .unwrap();
    assert_eq!(check(&restored, &new_blobs).await, Ok(Pairing::Paired(id)));
}
