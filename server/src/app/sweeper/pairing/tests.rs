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

/// A data folder with an open store and open blobs.
struct Fixture {
    folder: TempDir,
    store: SqliteStore,
    blobs: DirectoryBlobs,
}

fn blobs(folder: &Path) -> DirectoryBlobs {
    DirectoryBlobs::open(&folder.join("images")).unwrap()
}

impl Fixture {
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

    /// Inserts uploads with their images, except where `has_image` says no.
    async fn put_uploads(&self, count: usize, has_image: impl Fn(usize) -> bool) {
        for n in 0..count {
            let upload = some_upload();
            if has_image(n) {
                self.put_image(upload.short_id).await;
            }
            self.store.insert_upload(upload, None).await.unwrap();
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
    let fixture = Fixture::new();
    let id = fixture.paired().await;
    assert_eq!(fixture.store.pairing().await, Ok(Some(id)));
    assert_eq!(fixture.blobs.pairing().await, Ok(Some(id)));
    assert_eq!(fixture.paired().await, id);
    fixture.put_uploads(2, |_| true).await;
    fixture.put_orphans(9).await;
    assert_eq!(fixture.paired().await, id);
}

#[tokio::test]
async fn a_check_completes_a_pairing_that_a_crash_interrupted() {
    let fixture = Fixture::new();
    let id = fixture.store.pair(PairingId::random()).await.unwrap();
    assert_eq!(fixture.blobs.pairing().await, Ok(None));
    assert_eq!(fixture.paired().await, id);
}

#[tokio::test]
async fn data_without_ids_is_paired_when_samples_match() {
    let fixture = Fixture::new();
    // One image was removed by hand and one upload was interrupted.
    fixture.put_uploads(60, |n| n != 50).await;
    fixture.put_orphans(1).await;
    fixture.paired().await;
}

#[tokio::test]
async fn unknown_images_are_not_paired_with_the_store() {
    let fixture = Fixture::new();
    fixture.put_orphans(1).await;
    let Pairing::Unconfirmed { store } = fixture.check().await.unwrap() else {
        panic!("an empty store and one image");
    };
    fixture.put_uploads(20, |_| true).await;
    fixture.put_orphans(9).await;
    assert_eq!(fixture.check().await, Ok(Pairing::Unconfirmed { store }));
    assert_eq!(fixture.blobs.pairing().await, Ok(None));
}

#[tokio::test]
async fn a_store_whose_uploads_lack_their_images_is_not_paired() {
    let fixture = Fixture::new();
    fixture.put_uploads(20, |n| n < 15).await;
    assert!(matches!(
        fixture.check().await,
        Ok(Pairing::Unconfirmed { .. })
    ));
}

#[tokio::test]
async fn a_new_or_different_store_is_a_mismatch_and_is_not_changed() {
    let fixture = Fixture::new();
    let id = fixture.paired().await;
    let folder = tempfile::tempdir().unwrap();
    let other = SqliteStore::open(folder.path()).unwrap();
    let mismatch = |store| Ok(Pairing::Mismatch { store, blobs: id });
    assert_eq!(check(&other, &fixture.blobs).await, mismatch(None));
    assert_eq!(
        other.pairing().await,
        Ok(None),
        "its own id may be restored"
    );
    let its_own = other.pair(PairingId::random()).await.unwrap();
    assert_eq!(check(&other, &fixture.blobs).await, mismatch(Some(its_own)));
    // An administrator declares that they belong together.
    fs::write(fixture.pairing_file(), format!("  {its_own}\r\n")).unwrap();
    let paired = Pairing::Paired(its_own);
    assert_eq!(check(&other, &fixture.blobs).await, Ok(paired));
}

#[tokio::test]
async fn an_invalid_id_is_an_error_and_not_a_missing_one() {
    let fixture = Fixture::new();
    fixture.paired().await;
    for text in [
        "",
        "0123",
        &"g".repeat(32),
        &"0".repeat(33),
        "+0000000000000000000000000000001",
    ] {
        fs::write(fixture.pairing_file(), text).unwrap();
        let result = fixture.check().await;
        assert_eq!(
            result,
            Err(CheckError::Blobs(BlobError::Unavailable)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_restored_backup_of_either_side_keeps_its_id() {
    let fixture = Fixture::new();
    let id = fixture.paired().await;
    fixture.put_uploads(3, |_| true).await;
    fixture.store.close().await;
    let copy = tempfile::tempdir().unwrap();
    let database = |folder: &Path| folder.join(DATABASE_FILE);
    fs::copy(database(fixture.folder.path()), database(copy.path())).unwrap();
    let restored = SqliteStore::open(copy.path()).unwrap();
    assert_eq!(
        check(&restored, &fixture.blobs).await,
        Ok(Pairing::Paired(id))
    );
    let new_folder = tempfile::tempdir().unwrap();
    let new_blobs = blobs(new_folder.path());
    fs::copy(
        fixture.pairing_file(),
        new_folder.path().join("images/pairing.id"),
    )
    .unwrap();
    assert_eq!(check(&restored, &new_blobs).await, Ok(Pairing::Paired(id)));
}
