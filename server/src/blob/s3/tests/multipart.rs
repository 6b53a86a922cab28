//! Puts in parts.

use aws_sdk_s3::types::CompletedMultipartUpload;
use rand::Rng;

use super::helpers::{fixture, open, settings, try_open, unfinished, until};
use crate::blob::BlobError;
use crate::blob::s3::bucket::Bucket;
use crate::blob::s3::put::{CreateCall, PART_BYTES, Put};

const PART_LEN: usize = 8 << 20;
const _: () = assert!(PART_BYTES == PART_LEN as u64);

fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_of_many_parts_is_read_back_completely_and_in_ranges() {
    let (fixture, _folder) = open().await;
    let key = crate::ids::short_id();
    let bytes = noise(2 * PART_LEN + 4_000_001);
    fixture.put(key, &bytes).await.unwrap();
    let len = bytes.len();
    for range in [
        0..len,
        0..1,
        PART_LEN - 1..PART_LEN + 1,
        PART_LEN..2 * PART_LEN,
        PART_LEN - 70_000..2 * PART_LEN + 70_000,
        len - 1..len,
    ] {
        let read = fixture.read(key, range.clone()).await.unwrap();
        assert!(read == bytes[range.clone()], "{range:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_around_the_part_size_are_stored_completely() {
    let (fixture, _folder) = open().await;
    for len in [PART_LEN - 1, PART_LEN, PART_LEN + 1, 2 * PART_LEN] {
        let (key, bytes) = (crate::ids::short_id(), noise(len));
        fixture.put(key, &bytes).await.unwrap();
        assert!(fixture.read(key, 0..len).await.unwrap() == bytes, "{len}");
    }
}

/// S3 checks the condition and creates the object atomically. The test server does so for whole objects only; two
/// multipart uploads completed within the same milliseconds may replace one another there.
#[tokio::test]
async fn a_multipart_put_is_refused_when_its_key_was_taken_meanwhile() {
    let server = testbed::shared::s3();
    let (blobs, folder) = try_open(&settings(server, &[])).await.unwrap();
    let (key, file) = (crate::ids::short_id(), folder.path().join("file"));
    std::fs::write(&file, "parts").unwrap();
    let put = Put::new(&blobs.writer, key, &file);
    let multipart = put.begin().await.unwrap();
    let part = put.send_part(&multipart.id, 1, 0..5).await.unwrap();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let (other, _folder) = open().await;
    other.put(key, b"first").await.unwrap();
    let result = put
        .create(CreateCall::CompleteMultipart(&multipart.id, parts))
        .await;
    assert_eq!(result, Err(BlobError::AlreadyExists));
    assert_eq!(other.read(key, 0..5).await.unwrap(), b"first");
}

#[tokio::test]
async fn a_cancelled_put_leaves_no_object_and_no_parts() {
    let server = testbed::S3::start().unwrap();
    let config = settings(&server, &[]);
    let bucket = Bucket::of(&config);
    let (blobs, _folder) = try_open(&config).await.unwrap();
    let blobs = fixture(blobs);
    let key = "aB3dE9zZ".parse().unwrap();
    let putting = {
        let (blobs, file) = (blobs.clone(), blobs.file(&vec![7; 60_000_000]));
        tokio::spawn(async move { blobs.blobs.put(key, file).await })
    };
    until("an upload in parts", async || {
        !unfinished(&bucket).await.is_empty()
    })
    .await;
    putting.abort();
    assert!(putting.await.unwrap_err().is_cancelled());
    until("no parts left", async || {
        unfinished(&bucket).await.is_empty()
    })
    .await;
    assert_eq!(bucket.put_id_of(key).await, Ok(None));
    blobs.put(key, b"bytes").await.unwrap();
    assert_eq!(blobs.read(key, 0..5).await.unwrap(), b"bytes");
}
