use std::fs;
use std::sync::Arc;

use tempfile::TempDir;

use super::DirectoryBlobs;
use crate::blob::conformance::{Fixture, blob_suite};
use crate::blob::{BlobError, Derived};
use crate::fs::folder::FolderError;

fn open() -> (Fixture, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = DirectoryBlobs::open(folder.path()).unwrap();
    let fixture = Fixture {
        temp_dir: blobs.temp_dir().to_owned(),
        blobs: Arc::new(blobs),
    };
    (fixture, folder)
}

blob_suite!(async { open() });

#[tokio::test]
async fn blobs_outlive_the_process_and_temporary_files_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let key = "aB3dE9zZ".parse().unwrap();
    let blobs = Arc::new(DirectoryBlobs::open(folder.path()).unwrap());
    let temp_dir = blobs.temp_dir().to_owned();
    let fixture = Fixture { blobs, temp_dir };
    fixture.put(key, b"bytes").await.unwrap();
    let left = fixture.file(b"half an upload").keep().unwrap();
    drop(fixture);
    assert!(left.exists());
    let blobs = Arc::new(DirectoryBlobs::open(folder.path()).unwrap());
    assert!(!left.exists());
    let temp_dir = blobs.temp_dir().to_owned();
    let fixture = Fixture { blobs, temp_dir };
    assert_eq!(fixture.read(key, 0..5).await.unwrap(), b"bytes");
    fixture.put("another1".parse().unwrap(), b"").await.unwrap();
}

#[tokio::test]
async fn a_blob_is_two_folders_deep_under_a_case_insensitive_name() {
    let (fixture, folder) = open();
    let key = "aB3dE9zZ".parse().unwrap();
    fixture.put(key, b"bytes").await.unwrap();
    let file = folder.path().join("61/42/6142336445397a5a");
    assert_eq!(fs::read(file).unwrap(), b"bytes");
}

#[tokio::test]
async fn foreign_files_in_the_folder_are_not_listed() {
    let (fixture, folder) = open();
    let key = "aB3dE9zZ".parse().unwrap();
    fixture.put(key, b"bytes").await.unwrap();
    fs::write(folder.path().join("61/42/notes.txt"), "mine").unwrap();
    fs::write(folder.path().join("61/42/6142ffffffffffff"), "no key").unwrap();
    fs::write(folder.path().join("61/42/7742336445397a5a"), "elsewhere").unwrap();
    fs::create_dir(folder.path().join("lost+found")).unwrap();
    let keys: Vec<_> = fixture.blobs.list(None, 9).await.unwrap();
    assert_eq!(keys.iter().map(|it| it.key).collect::<Vec<_>>(), [key]);
}

#[tokio::test]
async fn a_missing_folder_is_an_error_and_not_a_missing_blob() {
    let (fixture, folder) = open();
    let file = fixture.file(b"bytes");
    fs::remove_dir_all(folder.path()).unwrap();
    let key = "aB3dE9zZ".parse().unwrap();
    let put = fixture.blobs.put(key, file).await;
    assert_eq!(put, Err(BlobError::Unavailable));
    assert_eq!(fixture.blobs.ping().await, Err(BlobError::Unavailable));
}

#[test]
fn a_folder_is_used_by_one_process_only() {
    let folder = tempfile::tempdir().unwrap();
    let first = DirectoryBlobs::open(folder.path()).unwrap();
    let second = DirectoryBlobs::open(folder.path());
    assert!(matches!(second, Err(FolderError::InUse(_))));
    drop(first);
    DirectoryBlobs::open(folder.path()).unwrap();
}

#[tokio::test]
async fn derived_pictures_of_another_version_belong_to_their_blob_and_are_not_read() {
    let (fixture, folder) = open();
    let key = "aB3dE9zZ".parse().unwrap();
    let of_key = folder.path().join("derived/61/42/6142336445397a5a");
    fs::create_dir_all(&of_key).unwrap();
    for name in ["640", "640-0"] {
        fs::write(of_key.join(name), "of another version").unwrap();
    }
    let read = fixture.blobs.read_derived(key, Derived::W640).await;
    assert_eq!(read.err(), Some(BlobError::NotFound));
    let listed = fixture.blobs.list_derived(None, 9).await.unwrap();
    assert_eq!(listed.iter().map(|it| it.key).collect::<Vec<_>>(), [key]);
    fixture.blobs.delete(key).await.unwrap();
    assert!(!of_key.exists());
}
