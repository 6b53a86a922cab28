//! Outages of the server.

use std::time::{Duration, Instant, SystemTime};

use app::model::ShortId;
use futures::TryStreamExt;

use super::helpers::{fixture, open_at, settings, try_open, unfinished, until};
use crate::blob::BlobError;
use crate::blob::conformance::Fixture;
use crate::blob::s3::bucket::Bucket;

/// The time within which an unavailable backend must be reported.
const MAX_ERROR_TIME: Duration = Duration::from_secs(3);

async fn fails_in_time(fixture: &Fixture) {
    let key = "aB3dE9zZ".parse().unwrap();
    let calls = async {
        let (read, put, ping, delete) = tokio::join!(
            fixture.read(key, 0..5),
            fixture.put("another1".parse().unwrap(), b"bytes"),
            fixture.blobs.ping(),
            fixture.blobs.delete("another2".parse().unwrap()),
        );
        [read.map(drop), put, ping, delete]
    };
    let started = Instant::now();
    assert_eq!(calls.await, [Err(BlobError::Unavailable); 4]);
    assert!(
        started.elapsed() < MAX_ERROR_TIME,
        "{:?}",
        started.elapsed()
    );
}

/// Waits until reads, puts and pings succeed; they may recover one after the other.
async fn serves_again(fixture: &Fixture) {
    let key = "aB3dE9zZ".parse().unwrap();
    until("reading", async || {
        fixture.read(key, 0..5).await == Ok(b"bytes".to_vec())
    })
    .await;
    until("keeping", async || {
        let another = crate::ids::short_id();
        let kept = fixture.put(another, b"more").await;
        kept.is_ok() && fixture.read(another, 0..4).await == Ok(b"more".to_vec())
    })
    .await;
    assert_eq!(fixture.blobs.ping().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_or_killed_server_is_reported_in_time_and_used_again_after_recovery() {
    let server = testbed::S3::start().unwrap();
    let (fixture, _folder) = open_at(&server).await;
    fixture
        .put("aB3dE9zZ".parse().unwrap(), b"bytes")
        .await
        .unwrap();
    server.freeze().unwrap();
    fails_in_time(&fixture).await;
    server.thaw().unwrap();
    serves_again(&fixture).await;
    server.kill().unwrap();
    fails_in_time(&fixture).await;
    assert_eq!(
        fixture.blobs.list(None, 1).await,
        Err(BlobError::Unavailable)
    );
    let old = fixture.blobs.clear_unfinished(SystemTime::now()).await;
    assert_eq!(old, Err(BlobError::Unavailable));
    tokio::task::block_in_place(|| server.restart()).unwrap();
    serves_again(&fixture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_and_a_read_fail_when_the_server_freezes_half_way() {
    const LEN: usize = 60_000_000;
    let server = testbed::S3::start().unwrap();
    let (untimed, _folder) = open_at(&server).await;
    let config = settings(&server, &[]);
    let (blobs, _folder) = try_open(&config).await.unwrap();
    let fixture = fixture(blobs.with_stall_timeout(Duration::from_secs(1)));
    let key = "aB3dE9zZ".parse().unwrap();
    untimed.put(key, &vec![7; LEN]).await.unwrap();
    let mut reading = fixture.blobs.read(key, 0..LEN as u64).await.unwrap();
    reading.try_next().await.unwrap().unwrap();
    let half = "halfDone".parse().unwrap();
    let putting = {
        let fixture = fixture.clone();
        let file = fixture.file(&vec![7; LEN]);
        tokio::spawn(async move { fixture.blobs.put(half, file).await })
    };
    let bucket = Bucket::of(&config);
    let is_begun = async || !unfinished(&bucket).await.is_empty();
    until("an upload in parts", is_begun).await;
    server.freeze().unwrap();
    let started = Instant::now();
    let rest: Result<Vec<_>, _> = reading.try_collect().await;
    assert_eq!(rest.map(drop), Err(BlobError::Unavailable));
    assert_eq!(putting.await.unwrap(), Err(BlobError::Unavailable));
    assert!(started.elapsed() < Duration::from_secs(13));
    server.thaw().unwrap();
    serves_again_without(&untimed, half).await;
}

async fn serves_again_without(fixture: &Fixture, half: ShortId) {
    until("the server", async || fixture.blobs.ping().await.is_ok()).await;
    assert_eq!(fixture.read(half, 0..1).await, Err(BlobError::NotFound));
    until("keeping", async || {
        fixture.put(half, b"whole").await.is_ok()
    })
    .await;
    assert_eq!(fixture.read(half, 0..5).await.unwrap(), b"whole");
}
