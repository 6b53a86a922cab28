//! Files over the limit: 413, which a client can read in any case (protocol.md: the table of wrong input).

use bytes::Bytes;
use futures::{StreamExt, stream};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::common::{TestNode, pictures, problem, raw};

#[tokio::test]
async fn a_file_may_have_the_size_of_the_limit_and_no_more() {
    let picture = pictures::png(300, 300);
    let limit = picture.len();
    let node = TestNode::with(&[("TONESA_MAX_UPLOAD_BYTES", &limit.to_string())]).await;
    assert_eq!(
        node.upload(picture.clone()).await.status(),
        StatusCode::CREATED
    );
    let longer = [picture, vec![0]].concat();
    let refused = problem(node.upload(longer).await, 413, "too-large").await;
    let detail = refused["detail"].as_str().unwrap();
    let most = format!("at most {}\u{a0}kB", limit.div_ceil(1024));
    assert!(detail.contains(&most), "{detail}");
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn a_client_that_streams_50_mib_can_read_the_refusal() {
    let node = TestNode::start().await;
    let piece = Bytes::from(vec![1; 1024 * 1024]);
    for _ in 0..3 {
        let pieces = stream::iter(vec![piece.clone(); 50]).map(Ok::<_, std::io::Error>);
        let part = Part::stream(Body::wrap_stream(pieces)).file_name("large.png");
        let form = Form::new().part("file", part);
        let response = node.send_form(form).await;
        problem(response, 413, "too-large").await;
    }
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn a_client_that_writes_50_mib_before_it_reads_can_read_the_refusal() {
    let node = TestNode::start().await;
    let length = 50 * 1024 * 1024;
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let head = format!(
        "POST /api/uploads HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![1; length]).await.unwrap();
    let answer = raw::read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_client_with_expect_continue_is_refused_before_it_sends() {
    let node = TestNode::start().await;
    let request = "POST /api/uploads HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n\
                   Content-Length: 99999999\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    let answer = raw::exchange(node.address, request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn the_connection_can_be_used_after_a_refusal() {
    let node = TestNode::with(&[("TONESA_MAX_UPLOAD_BYTES", "1000")]).await;
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let head = "POST /api/uploads HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n\
                Content-Length: 200000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![1; 200_000]).await.unwrap();
    raw::read_until(&mut stream, "/problems/too-large").await;
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(raw::read_all(&mut stream).await.contains("HTTP/1.1 200 OK"));
}
