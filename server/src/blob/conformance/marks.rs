use std::time::{Duration, SystemTime};

use app::model::ShortId;

use super::{Fixture, some_key};
use crate::blob::BlobEntry;

/// Lists all marks in pages of `limit`, and checks their order.
async fn marks(fixture: &Fixture, limit: usize) -> Vec<BlobEntry> {
    let mut all: Vec<BlobEntry> = Vec::new();
    loop {
        let after = all.last().map(|mark| mark.key);
        let next = fixture.blobs.orphan_marks(after, limit).await.unwrap();
        assert!(next.len() <= limit);
        if next.is_empty() {
            return all;
        }
        all.extend(next);
        assert!(all.is_sorted_by(|one, other| one.key < other.key));
    }
}

async fn mark(fixture: &Fixture, key: ShortId) -> Option<BlobEntry> {
    marks(fixture, 1_000)
        .await
        .into_iter()
        .find(|mark| mark.key == key)
}

pub(crate) async fn a_marked_blob_is_still_read_and_listed(fixture: Fixture) {
    let (key, blobs) = (some_key(), &fixture.blobs);
    fixture.put(key, b"bytes").await.unwrap();
    assert_eq!(mark(&fixture, key).await, None);
    blobs.mark_orphan(key).await.unwrap();
    let (marked, now) = (mark(&fixture, key).await.unwrap(), SystemTime::now());
    let hour = Duration::from_hours(1);
    assert!(marked.modified < now + hour && marked.modified > now - hour);
    assert_eq!(fixture.read(key, 0..5).await.unwrap(), b"bytes");
    let listed = blobs.list(None, 100_000).await.unwrap();
    assert_eq!(listed.iter().filter(|entry| entry.key == key).count(), 1);
    for _ in 0..2 {
        blobs.unmark_orphan(key).await.unwrap();
        assert_eq!(mark(&fixture, key).await, None);
    }
    assert_eq!(fixture.read(key, 0..5).await.unwrap(), b"bytes");
}

pub(crate) async fn an_earlier_mark_is_not_replaced(fixture: Fixture) {
    let key = some_key();
    fixture.put(key, b"bytes").await.unwrap();
    fixture.blobs.mark_orphan(key).await.unwrap();
    let first = mark(&fixture, key).await.unwrap();
    // S3 servers store times in seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    fixture.blobs.mark_orphan(key).await.unwrap();
    assert_eq!(mark(&fixture, key).await, Some(first));
    fixture.blobs.delete(key).await.unwrap();
    assert_eq!(
        mark(&fixture, key).await,
        Some(first),
        "the mark outlives its blob"
    );
    fixture.blobs.unmark_orphan(key).await.unwrap();
}

pub(crate) async fn marks_are_listed_in_the_order_of_their_keys(fixture: Fixture) {
    let prefix = some_key().as_str()[..6].to_owned();
    let same_prefix =
        ["0a", "0b", "Zz", "zA", "zz"].map(|end| format!("{prefix}{end}").parse().unwrap());
    let mut keys: Vec<ShortId> = (0..5).map(|_| some_key()).chain(same_prefix).collect();
    for key in &keys {
        fixture.blobs.mark_orphan(*key).await.unwrap();
    }
    keys.sort();
    for limit in [1, 3, 1_000] {
        let all = marks(&fixture, limit).await;
        let ours: Vec<_> = all
            .iter()
            .map(|mark| mark.key)
            .filter(|key| keys.contains(key))
            .collect();
        assert_eq!(ours, keys, "limit {limit}");
    }
    for key in keys {
        fixture.blobs.unmark_orphan(key).await.unwrap();
    }
}
