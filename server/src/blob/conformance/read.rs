use futures::StreamExt;
use tokio::task::JoinSet;

use super::{Fixture, some_bytes, some_key};

pub(crate) async fn ranges_are_exact(fixture: Fixture) {
    let (key, bytes) = (some_key(), some_bytes(200_000));
    fixture.put(key, &bytes).await.unwrap();
    let ranges = [
        0..0,
        0..1,
        1..2,
        0..65_536,
        65_535..65_537,
        65_536..131_072,
        100..100,
        70_000..190_001,
        199_999..200_000,
        200_000..200_000,
        0..200_000,
    ];
    for range in ranges {
        let read = fixture.read(key, range.clone()).await.unwrap();
        assert!(read == bytes[range.clone()], "{range:?}");
    }
}

pub(crate) async fn chunks_are_bounded(fixture: Fixture) {
    let (key, bytes) = (some_key(), some_bytes(4_000_000));
    fixture.put(key, &bytes).await.unwrap();
    let mut chunks = fixture.blobs.read(key, 0..4_000_000).await.unwrap();
    let mut position = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.unwrap();
        assert!((1..=1 << 20).contains(&chunk.len()), "{}", chunk.len());
        assert!(chunk == bytes[position..position + chunk.len()]);
        position += chunk.len();
    }
    assert_eq!(position, bytes.len());
}

pub(crate) async fn concurrent_reads_are_independent(fixture: Fixture) {
    let (key, bytes) = (some_key(), some_bytes(300_000));
    fixture.put(key, &bytes).await.unwrap();
    let mut readers = JoinSet::new();
    for n in 0..32 {
        let (fixture, range) = (fixture.clone(), n * 1_000..300_000 - n * 997);
        let expected = bytes[range.clone()].to_vec();
        readers.spawn(async move { fixture.read(key, range).await.unwrap() == expected });
    }
    assert!(readers.join_all().await.into_iter().all(|right| right));
}
