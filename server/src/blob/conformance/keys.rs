use std::time::{Duration, SystemTime};

use app::model::ShortId;

use super::{Fixture, some_key};
use crate::blob::{BlobEntry, BlobError};

pub(crate) async fn unknown_blobs_are_not_found(fixture: Fixture) {
    let read = fixture.read(some_key(), 0..10).await;
    assert_eq!(read, Err(BlobError::NotFound));
    assert_eq!(fixture.blobs.delete(some_key()).await, Ok(()));
}

pub(crate) async fn a_deleted_blob_is_gone_and_its_key_is_free(fixture: Fixture) {
    let (key, other) = (some_key(), some_key());
    fixture.put(key, b"bytes").await.unwrap();
    fixture.put(other, b"others").await.unwrap();
    fixture.blobs.delete(key).await.unwrap();
    assert_eq!(fixture.read(key, 0..5).await, Err(BlobError::NotFound));
    assert_eq!(fixture.read(other, 0..6).await.unwrap(), b"others");
    fixture.blobs.delete(key).await.unwrap();
    fixture.put(key, b"again").await.unwrap();
    assert_eq!(fixture.read(key, 0..5).await.unwrap(), b"again");
}

pub(crate) async fn letter_case_makes_another_key(fixture: Fixture) {
    let rest = &some_key().as_str()[1..].to_owned();
    let lower: ShortId = format!("x{rest}").parse().unwrap();
    let upper: ShortId = format!("X{rest}").parse().unwrap();
    fixture.put(lower, b"lower").await.unwrap();
    assert_eq!(fixture.read(upper, 0..5).await, Err(BlobError::NotFound));
    fixture.put(upper, b"UPPER").await.unwrap();
    assert_eq!(fixture.read(lower, 0..5).await.unwrap(), b"lower");
    assert_eq!(fixture.read(upper, 0..5).await.unwrap(), b"UPPER");
}

/// Lists all blobs in pages of `limit`, and checks their order.
async fn listed(fixture: &Fixture, limit: usize) -> Vec<BlobEntry> {
    let mut all: Vec<BlobEntry> = Vec::new();
    loop {
        let after = all.last().map(|entry| entry.key);
        let next = fixture.blobs.list(after, limit).await.unwrap();
        assert!(next.len() <= limit);
        if next.is_empty() {
            return all;
        }
        all.extend(next);
        assert!(all.is_sorted_by(|one, other| one.key < other.key));
    }
}

pub(crate) async fn blobs_are_listed_in_the_order_of_their_keys(fixture: Fixture) {
    let prefix = some_key().as_str()[..6].to_owned();
    let same_prefix =
        ["0a", "0b", "Zz", "zA", "zz"].map(|end| format!("{prefix}{end}").parse().unwrap());
    let mut keys: Vec<ShortId> = (0..20).map(|_| some_key()).chain(same_prefix).collect();
    for key in &keys {
        fixture.put(*key, b"bytes").await.unwrap();
    }
    keys.sort();
    for limit in [1, 7, 1_000] {
        let all = listed(&fixture, limit).await;
        let ours: Vec<_> = all.iter().filter(|it| keys.contains(&it.key)).collect();
        assert!(ours.iter().map(|it| &it.key).eq(&keys), "limit {limit}");
        let now = SystemTime::now();
        let hour = Duration::from_hours(1);
        assert!(
            ours.iter()
                .all(|it| it.modified < now + hour && it.modified > now - hour)
        );
    }
    fixture.blobs.delete(keys[3]).await.unwrap();
    let left = fixture.blobs.list(Some(keys[2]), 1).await.unwrap();
    assert_ne!(left[0].key, keys[3]);
}

pub(crate) async fn the_blobs_answer_a_ping(fixture: Fixture) {
    assert_eq!(fixture.blobs.ping().await, Ok(()));
}
