//! Foreign objects, derived pictures of other versions and unfinished multipart uploads in the bucket.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::ByteStream;

use super::helpers::{open_at, settings, unfinished};
use crate::blob::s3::bucket::Bucket;
use crate::blob::{BlobEntry, BlobError, Derived};

async fn put_foreign(bucket: &Bucket, key: &str) {
    let call = bucket.untimed.put_object().bucket(&bucket.name).key(key);
    let body = ByteStream::from_static(b"foreign");
    call.body(body).send().await.unwrap();
}

async fn begin(bucket: &Bucket, key: &str) {
    let call = bucket.untimed.create_multipart_upload();
    let call = call.bucket(&bucket.name).key(key);
    call.send().await.unwrap();
}

#[tokio::test]
async fn foreign_objects_are_skipped_and_not_changed() {
    let server = testbed::S3::start().unwrap();
    let (fixture, _folder) = open_at(&server).await;
    let bucket = Bucket::of(&settings(&server, &[]));
    let foreign = [
        "README",
        "a/b/c",
        "aB3dE9z",
        "aB3dE9zZ/x",
        "aB3dE9zZZ",
        "b & ü\u{1}",
        "zzzzzzzy/y",
    ];
    for key in foreign {
        put_foreign(&bucket, key).await;
    }
    let keys = ["0B3dE9zZ", "aB3dE9zA", "b0000000", "zzzzzzzz"].map(|key| key.parse().unwrap());
    for key in keys {
        fixture.put(key, b"bytes").await.unwrap();
    }
    let of = |entries: Vec<BlobEntry>| entries.into_iter().map(|it| it.key).collect::<Vec<_>>();
    for limit in [4, 5, 1_000] {
        assert_eq!(of(fixture.blobs.list(None, limit).await.unwrap()), keys);
    }
    for n in 0..3 {
        let next = fixture.blobs.list(Some(keys[n]), 1).await.unwrap();
        assert_eq!(of(next), [keys[n + 1]]);
    }
    assert_eq!(of(fixture.blobs.list(None, 0).await.unwrap()), []);

    begin(&bucket, "aB3dE9zZ").await;
    begin(&bucket, "a/b/c").await;
    let now = SystemTime::now();
    let day = Duration::from_hours(24);
    assert_eq!(fixture.blobs.clear_unfinished(now - day).await, Ok(0));
    assert_eq!(unfinished(&bucket).await.len(), 2);
    assert_eq!(fixture.blobs.clear_unfinished(now + day).await, Ok(1));
    assert_eq!(unfinished(&bucket).await, ["a/b/c"]);
}

#[tokio::test]
async fn derived_pictures_of_another_version_belong_to_their_blob_and_are_not_read() {
    let server = testbed::S3::start().unwrap();
    let (fixture, _folder) = open_at(&server).await;
    let bucket = Bucket::of(&settings(&server, &[]));
    let [key, other] = ["aB3dE9zZ", "aB3dE9zz"].map(|key| key.parse().unwrap());
    for name in ["aB3dE9zZ/640", "aB3dE9zZ/640-0", "aB3dE9zz/640-0"] {
        put_foreign(&bucket, &format!("derived/{name}")).await;
    }
    let read = fixture.blobs.read_derived(key, Derived::W640).await;
    assert_eq!(read.err(), Some(BlobError::NotFound));
    let listed = async || -> Vec<_> {
        let listed = fixture.blobs.list_derived(None, 9).await.unwrap();
        listed.iter().map(|it| it.key).collect()
    };
    assert_eq!(listed().await, [key, other]);
    fixture.blobs.delete(key).await.unwrap();
    assert_eq!(listed().await, [other]);
}
