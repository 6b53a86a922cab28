use std::time::{Duration, SystemTime};

use app::model::ShortId;
use futures::TryStreamExt;

use super::{Fixture, some_bytes, some_key};
use crate::blob::{BlobEntry, BlobError, Derived};

async fn put(fixture: &Fixture, key: ShortId, derived: Derived, bytes: &[u8]) {
    let file = fixture.file(bytes);
    let path = file.to_path_buf();
    let put = fixture.blobs.put_derived(key, derived, file).await;
    assert_eq!(put, Ok(()));
    assert!(!path.exists(), "the file is consumed");
}

async fn read(fixture: &Fixture, key: ShortId, derived: Derived) -> Result<Vec<u8>, BlobError> {
    let (size, bytes) = fixture.blobs.read_derived(key, derived).await?;
    let chunks: Vec<_> = bytes.try_collect().await?;
    let bytes = chunks.concat();
    assert_eq!(bytes.len() as u64, size);
    Ok(bytes)
}

pub(crate) async fn a_derived_picture_is_read_back_and_replaced(fixture: Fixture) {
    let key = some_key();
    for derived in Derived::ALL {
        assert_eq!(read(&fixture, key, derived).await, Err(BlobError::NotFound));
    }
    for len in [0, 1, 100_000, 9_000_001] {
        let bytes = some_bytes(len);
        put(&fixture, key, Derived::W640, &bytes).await;
        assert!(read(&fixture, key, Derived::W640).await.unwrap() == bytes);
    }
    let other = read(&fixture, key, Derived::Preview).await;
    assert_eq!(other, Err(BlobError::NotFound));
}

pub(crate) async fn derived_pictures_are_not_listed_as_blobs(fixture: Fixture) {
    let (key, other) = (some_key(), some_key());
    for derived in Derived::ALL {
        put(&fixture, key, derived, b"derived").await;
    }
    fixture.put(other, b"bytes").await.unwrap();
    assert_eq!(fixture.read(key, 0..7).await, Err(BlobError::NotFound));
    let listed = fixture.blobs.list(None, 100_000).await.unwrap();
    assert!(listed.iter().any(|entry| entry.key == other));
    assert!(listed.iter().all(|entry| entry.key != key));
    let marks = fixture.blobs.orphan_marks(None, 100_000).await.unwrap();
    assert!(marks.iter().all(|mark| mark.key != key));
}

pub(crate) async fn derived_pictures_are_deleted_with_their_blob(fixture: Fixture) {
    let (key, other, without_blob) = (some_key(), some_key(), some_key());
    fixture.put(key, b"bytes").await.unwrap();
    for key in [key, other, without_blob] {
        for derived in Derived::ALL {
            put(&fixture, key, derived, b"derived").await;
        }
    }
    for key in [key, without_blob] {
        fixture.blobs.delete(key).await.unwrap();
        for derived in Derived::ALL {
            assert_eq!(read(&fixture, key, derived).await, Err(BlobError::NotFound));
        }
    }
    assert_eq!(fixture.read(key, 0..5).await, Err(BlobError::NotFound));
    let kept = read(&fixture, other, Derived::W640).await;
    assert_eq!(kept.unwrap(), b"derived");
}

/// Lists all keys in pages of `limit`, and checks their order.
async fn listed(fixture: &Fixture, limit: usize) -> Vec<BlobEntry> {
    let mut all: Vec<BlobEntry> = Vec::new();
    loop {
        let after = all.last().map(|entry| entry.key);
        let next = fixture.blobs.list_derived(after, limit).await.unwrap();
        assert!(next.len() <= limit);
        if next.is_empty() {
            return all;
        }
        all.extend(next);
        assert!(all.is_sorted_by(|one, other| one.key < other.key));
    }
}

pub(crate) async fn keys_with_derived_pictures_are_listed_in_their_order(fixture: Fixture) {
    let prefix = some_key().as_str()[..6].to_owned();
    let mut keys: Vec<ShortId> = ["0a", "0b", "Zz", "zA", "zz"]
        .map(|end| format!("{prefix}{end}").parse().unwrap())
        .into();
    for key in &keys {
        for derived in [Derived::W640, Derived::Preview] {
            put(&fixture, *key, derived, b"derived").await;
        }
    }
    keys.sort();
    for limit in [1, 3, 1_000] {
        let all = listed(&fixture, limit).await;
        let ours: Vec<_> = all.iter().filter(|it| keys.contains(&it.key)).collect();
        assert!(ours.iter().map(|it| &it.key).eq(&keys), "limit {limit}");
        let (now, hour) = (SystemTime::now(), Duration::from_hours(1));
        assert!(
            ours.iter()
                .all(|it| it.modified < now + hour && it.modified > now - hour)
        );
    }
    for key in keys {
        fixture.blobs.delete(key).await.unwrap();
    }
}
