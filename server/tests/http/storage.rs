//! The storage for uploads: the quota and the disk.

use std::io;

use reqwest::multipart::{Form, Part};
use reqwest::{Body, StatusCode};
use server::app::backends::Backends;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::common::{TestNode, pictures, problem, raw};

/// Begins an upload whose form has this length, without a byte of it.
async fn begin_upload(node: &TestNode, length: u64) -> TcpStream {
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let head = format!(
        "POST /api/uploads HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: {length}\r\nAccept-Language: de\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn refusal(node: &TestNode, length: u64) -> String {
    raw::read_all(&mut begin_upload(node, length).await).await
}

async fn left_becomes(node: &TestNode, bytes: u64) {
    let is = async || node.node.storage_quota.left() == Some(bytes);
    node.wait_until("what is left is as expected", is).await;
}

#[tokio::test]
async fn an_upload_over_the_quota_is_refused_before_its_body_is_read() {
    let node = TestNode::with(&[("TONESA_MAX_STORED_BYTES", "1000")]).await;
    let refused = refusal(&node, 1_001).await;
    assert!(refused.starts_with("HTTP/1.1 507 "), "{refused}");
    assert!(
        refused.contains("/problems/insufficient-storage"),
        "{refused}"
    );
    assert!(refused.contains("kein Speicherplatz"), "{refused}");
    assert_eq!(node.temporary_files(), 0);
    let too_large = refusal(&node, 30_000_000).await;
    assert!(too_large.starts_with("HTTP/1.1 413 "), "{too_large}");
    node.uploaded().await;
}

#[tokio::test]
async fn what_has_arrived_of_uploads_under_way_is_reserved_until_they_end() {
    let quota = 4_000_000;
    let node = TestNode::with(&[("TONESA_MAX_STORED_BYTES", &quota.to_string())]).await;
    // Until what is stored is known, nothing fits.
    left_becomes(&node, quota).await;
    let silent = begin_upload(&node, quota).await;
    let mut first = begin_upload(&node, 3_900_000).await;
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n";
    let part = [head.as_bytes(), &vec![7; 3_000_000]].concat();
    first.write_all(&part).await.unwrap();
    // The parser holds the last of what has arrived back.
    let is_reserved = async || node.node.storage_quota.left().unwrap() < 2_000_000;
    node.wait_until("what has arrived is reserved", is_reserved)
        .await;
    let refused = refusal(&node, 2_000_000).await;
    assert!(refused.starts_with("HTTP/1.1 507 "), "{refused}");
    let upload = node.uploaded().await;
    drop((first, silent));
    left_becomes(&node, quota - upload.content.size).await;
}

#[tokio::test]
async fn whoever_only_announces_uploads_takes_no_storage() {
    let node = TestNode::with(&[("TONESA_MAX_STORED_BYTES", "1000")]).await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(begin_upload(&node, 1_000).await);
    }
    node.uploaded().await;
    drop(silent);
}

#[tokio::test]
async fn an_image_that_grows_when_it_is_repaired_needs_storage_for_that() {
    let picture = pictures::repaired_png();
    let quota = (picture.len() + 1_000).to_string();
    let node = TestNode::with(&[("TONESA_MAX_STORED_BYTES", &*quota)]).await;
    problem(node.upload(picture).await, 507, "insufficient-storage").await;
}

#[tokio::test]
async fn an_upload_of_unknown_length_ends_where_the_quota_does() {
    let node = TestNode::with(&[("TONESA_MAX_STORED_BYTES", "200000")]).await;
    let piece = || Ok::<_, io::Error>(vec![1; 10_000]);
    let (send, pieces) = futures::channel::mpsc::unbounded();
    for _ in 0..30 {
        send.unbounded_send(piece()).unwrap();
    }
    let part = Part::stream(Body::wrap_stream(pieces)).file_name("large.png");
    // The sender is kept: the body never ends.
    let refused = node.send_form(Form::new().part("file", part)).await;
    problem(refused, 507, "insufficient-storage").await;
    left_becomes(&node, 200_000).await;
    assert_eq!(node.temporary_files(), 0);
    drop(send);
}

#[tokio::test]
async fn the_quota_counts_what_all_nodes_have_stored() {
    let picture = pictures::png(300, 300);
    let quota = (picture.len() * 3 / 2).to_string();
    let variables = [("TONESA_MAX_STORED_BYTES", &*quota), ("METRICS_PORT", "0")];
    let first = TestNode::with(&variables).await;
    let store = first.node.store.clone();
    let with_store = |backends| Backends { store, ..backends };
    let second = TestNode::with_backends(&variables, with_store).await;
    let stored = first.upload(picture.clone()).await;
    assert_eq!(stored.status(), StatusCode::CREATED);
    problem(
        first.upload(picture.clone()).await,
        507,
        "insufficient-storage",
    )
    .await;
    let knows = async || {
        let quota = &second.node.storage_quota;
        quota.stored() == Some(first.node.storage_quota.stored().unwrap())
    };
    second.wait_until("it has read what is stored", knows).await;
    problem(second.upload(picture).await, 507, "insufficient-storage").await;
    second.uploaded().await;
}

#[tokio::test]
async fn uploads_leave_a_part_of_the_disk_free() {
    // More than any disk has.
    let node = TestNode::with(&[("TONESA_MIN_FREE_BYTES", "1000000000000000000")]).await;
    left_becomes(&node, 0).await;
    let refused = node.upload(pictures::png(3, 2)).await;
    problem(refused, 507, "insufficient-storage").await;
}
