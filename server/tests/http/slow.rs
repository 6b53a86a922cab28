//! Slow clients, and stopping while requests are under way.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::common::{TestNode, raw};

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let node = TestNode::start().await;
    for start in ["", "GET / HTTP/1.1\r\nHost: t\r\n"] {
        let mut stream = TcpStream::connect(node.address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let started = Instant::now();
        raw::read_all(&mut stream).await;
        assert!(
            started.elapsed() >= Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn a_small_body_that_stalls_times_out() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let request = format!(
        "POST /api/uploads/{}/messages HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        upload.id
    );
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = raw::read_until(&mut stream, "/problems/").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn an_upload_that_stalls_times_out() {
    let node = TestNode::start().await;
    let request = "POST /api/uploads HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n\
                   Content-Length: 1000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nGIF";
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let started = Instant::now();
    stream.readable().await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_secs(29),
        "{:?}",
        started.elapsed()
    );
    let answer = raw::read_until(&mut stream, "/problems/too-slow").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn a_stopping_node_finishes_its_requests_and_accepts_no_more() {
    let mut node = TestNode::start().await;
    let upload = node.uploaded().await;
    let body = r#"{"content":"in flight","clientMessageID":"m1"}"#;
    let head = format!(
        "POST /api/uploads/{}/messages HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        upload.id,
        body.len()
    );
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    raw::read_until(&mut stream, "100 Continue").await;
    let started = Instant::now();
    node.begin_to_stop();
    while TcpStream::connect(node.address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stream.write_all(body.as_bytes()).await.unwrap();
    let answer = raw::read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    node.stop().await;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}
