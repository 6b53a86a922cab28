use std::task::{Context, Waker};

use tokio::task::JoinSet;

use super::{Fixture, some_bytes, some_key};
use crate::blob::BlobError;

pub(crate) async fn a_blob_is_read_back_completely(fixture: Fixture) {
    for len in [0, 1, 65_535, 65_536, 65_537, 9_000_001] {
        let (key, bytes) = (some_key(), some_bytes(len));
        fixture.put(key, &bytes).await.unwrap();
        assert!(fixture.read(key, 0..len).await.unwrap() == bytes);
    }
}

pub(crate) async fn the_file_is_consumed(fixture: Fixture) {
    let key = some_key();
    for expected in [Ok(()), Err(BlobError::AlreadyExists)] {
        let file = fixture.file(b"bytes");
        let path = file.to_path_buf();
        assert_eq!(fixture.blobs.put(key, file).await, expected);
        assert!(!path.exists());
    }
}

pub(crate) async fn a_taken_key_is_refused_and_its_blob_stays(fixture: Fixture) {
    let key = some_key();
    fixture.put(key, b"first").await.unwrap();
    let second = fixture.put(key, b"second, and longer").await;
    assert_eq!(second, Err(BlobError::AlreadyExists));
    assert_eq!(fixture.read(key, 0..5).await.unwrap(), b"first");
}

pub(crate) async fn one_of_many_concurrent_puts_gets_the_key(fixture: Fixture) {
    let key = some_key();
    let mut tasks = JoinSet::new();
    for racer in 0..8 {
        let fixture = fixture.clone();
        let bytes = vec![racer; 100_000];
        tasks.spawn(async move { (racer, fixture.put(key, &bytes).await) });
    }
    let ends = tasks.join_all().await;
    let won: Vec<_> = ends.iter().filter(|(_, end)| end.is_ok()).collect();
    let refused = (ends.iter()).filter(|(_, end)| *end == Err(BlobError::AlreadyExists));
    assert_eq!((won.len(), refused.count()), (1, 7));
    let bytes = fixture.read(key, 0..100_000).await.unwrap();
    assert!(bytes == vec![won[0].0; 100_000]);
}

pub(crate) async fn a_blob_becomes_visible_all_at_once(fixture: Fixture) {
    const LEN: usize = 8_000_000;
    for _ in 0..6 {
        let (key, bytes) = (some_key(), vec![7; LEN]);
        let putting = {
            let (fixture, file) = (fixture.clone(), fixture.file(&bytes));
            tokio::spawn(async move { fixture.blobs.put(key, file).await })
        };
        while !putting.is_finished() {
            // As soon as it is visible, its last byte is too.
            match fixture.read(key, LEN - 1..LEN).await {
                Ok(read) => assert_eq!(read, [7]),
                Err(error) => assert_eq!(error, BlobError::NotFound),
            }
        }
        putting.await.unwrap().unwrap();
        assert!(fixture.read(key, 0..LEN).await.unwrap() == bytes);
    }
}

pub(crate) async fn a_dropped_put_leaves_a_complete_blob_or_none(fixture: Fixture) {
    let bytes = some_bytes(1_000_000);
    for polls in 0..6 {
        let key = some_key();
        let mut put = fixture.blobs.put(key, fixture.file(&bytes));
        for _ in 0..polls {
            let mut context = Context::from_waker(Waker::noop());
            if put.as_mut().poll(&mut context).is_ready() {
                break;
            }
        }
        drop(put);
        match fixture.put(key, &bytes).await {
            Ok(()) | Err(BlobError::AlreadyExists) => {}
            Err(BlobError::NotFound | BlobError::Unavailable) => panic!("the key is stuck"),
        }
        assert!(fixture.read(key, 0..bytes.len()).await.unwrap() == bytes);
    }
}
