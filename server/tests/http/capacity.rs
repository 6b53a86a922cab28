//! More uploads than a node can take: which are refused, when, and who does not have to wait.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use futures::{StreamExt, stream};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Response, StatusCode};
use server::image::MAX_UPLOADS;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::common::program::Program;
use crate::common::{TestNode, file_form, header, pictures, problem, raw};

const PROXIES: (&str, &str) = ("TONESA_TRUSTED_PROXIES", "127.0.0.1");
const HERE: &str = "192.0.2.1";
const THERE: &str = "192.0.2.2";

/// The head of a large upload of a client with this address.
fn head(address: &str) -> String {
    format!(
        "POST /api/uploads HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: 5000000\r\nX-Forwarded-For: {address}\r\nConnection: close\r\n\r\n"
    )
}

/// Begins an upload.
async fn begin_upload(node: &TestNode, address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    stream.write_all(head(address).as_bytes()).await.unwrap();
    stream
}

/// Uploads this script, which runs in place of the check.
async fn run(node: &TestNode, address: &str, script: &str) -> Response {
    let form = file_form(script.as_bytes().to_vec());
    let request = node.post("/api/uploads").multipart(form);
    let request = request.header("x-forwarded-for", address);
    request.send().await.unwrap()
}

#[tokio::test]
async fn an_upload_beyond_the_limit_is_refused_before_its_body_is_read() {
    let node = TestNode::with(&[PROXIES]).await;
    let mut streams = Vec::new();
    for n in 0..MAX_UPLOADS {
        let address = format!("192.0.2.{}", 10 + n);
        streams.push(begin_upload(&node, &address).await);
    }
    let has = async |uploads| {
        let count = || node.node.decoders.uploads();
        node.wait_until("the uploads have slots", async || count() == uploads)
            .await;
    };
    has(MAX_UPLOADS).await;
    // No byte of the body is sent.
    let full = raw::read_all(&mut begin_upload(&node, HERE).await).await;
    assert!(full.starts_with("HTTP/1.1 503 "), "{full}");
    assert!(full.contains("retry-after: "), "{full}");
    drop(streams.pop());
    has(MAX_UPLOADS - 1).await;
    let too_many = raw::read_all(&mut begin_upload(&node, "192.0.2.10").await).await;
    assert!(too_many.starts_with("HTTP/1.1 429 "), "{too_many}");
    assert!(too_many.contains("retry-after: "), "{too_many}");
    streams.push(begin_upload(&node, HERE).await);
    has(MAX_UPLOADS).await;
    drop(streams);
    has(0).await;
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn five_addresses_cannot_use_up_the_upload_slots() {
    let node = TestNode::with(&[PROXIES]).await;
    let mut streams = Vec::new();
    for n in 0..150 {
        streams.push(begin_upload(&node, &format!("192.0.2.{}", 10 + n % 5)).await);
    }
    let uploads = || node.node.decoders.uploads();
    node.wait_until("they have what they can get", async || uploads() >= 45)
        .await;
    for newcomer in ["192.0.2.101", "192.0.2.102", "192.0.2.103"] {
        let request = node.post("/api/uploads");
        let request = request.multipart(file_form(pictures::png(3, 2)));
        let request = request.header("x-forwarded-for", newcomer);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 201);
    }
    assert!(uploads() < 100, "{} slots are taken", uploads());
    drop(streams);
}

#[tokio::test]
async fn a_client_that_streams_50_mib_to_a_full_node_can_read_the_refusal() {
    let node = TestNode::with(&[]).await;
    let decoders = &node.node.decoders;
    let slots: Vec<_> = (0..MAX_UPLOADS)
        .map(|n| decoders.upload_slot([10, 0, 0, u8::try_from(n).unwrap()].into()))
        .collect();
    let piece = Bytes::from(vec![1; 1024 * 1024]);
    let pieces = stream::iter(vec![piece; 50]).map(Ok::<_, std::io::Error>);
    let part = Part::stream(Body::wrap_stream(pieces)).file_name("large.png");
    let response = node.send_form(Form::new().part("file", part)).await;
    assert!(!header(response.headers(), "retry-after").is_empty());
    problem(response, 503, "unavailable").await;
    drop(slots);
}

#[tokio::test]
async fn a_body_of_one_byte_chunks_is_accepted_up_to_a_limit() {
    let node = TestNode::start().await;
    for (length, status) in [(5_000, "415"), (40_000, "400")] {
        let form = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".to_owned()
            + &"x".repeat(length)
            + "\r\n--b--\r\n";
        let head = "POST /api/uploads HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        let chunks = form.chars().map(|byte| format!("1\r\n{byte}\r\n"));
        let request = head.to_owned() + &chunks.collect::<String>() + "0\r\n\r\n";
        let answer = raw::exchange(node.address, request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn an_address_with_many_slow_images_does_not_delay_others() {
    let node = TestNode::with_scripts(&[PROXIES]).await;
    let done = AtomicUsize::new(0);
    let slow = join_all((0..8).map(async |_| {
        run(&node, HERE, "PATH=/bin:/usr/bin; sleep 0.3; exit 1").await;
        done.fetch_add(1, Ordering::Relaxed);
    }));
    let other = async {
        let decoders = &node.node.decoders;
        node.wait_until("the slow ones wait", async || decoders.waiting() == 7)
            .await;
        run(&node, THERE, "exit 1").await;
        done.load(Ordering::Relaxed)
    };
    let (_, before) = tokio::join!(slow, other);
    assert!(before <= 1, "{before} were checked before");
}

#[tokio::test]
async fn a_slow_image_is_charged_as_several_uploads() {
    let limit = ("TONESA_UPLOADS_PER_MINUTE", "5");
    let node = TestNode::with_scripts(&[PROXIES, limit]).await;
    run(&node, HERE, "PATH=/bin:/usr/bin; sleep 2.1; exit 1").await;
    for status in [503, 503, 429] {
        let response = run(&node, HERE, "exit 1").await;
        assert_eq!(response.status().as_u16(), status);
    }
    assert_eq!(run(&node, THERE, "exit 1").await.status().as_u16(), 503);
}

#[tokio::test]
async fn partial_uploads_of_a_killed_node_are_removed_by_the_next_one() {
    let data = tempfile::tempdir().unwrap();
    let folder = ("TONESA_DATA_DIR", data.path().to_str().unwrap());
    let program = Program::start(&[folder]);
    let mut stream = TcpStream::connect(program.address).await.unwrap();
    stream.write_all(head(HERE).as_bytes()).await.unwrap();
    let start = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".to_owned();
    let start = start + &"x".repeat(500_000);
    stream.write_all(start.as_bytes()).await.unwrap();
    while large_files(data.path()) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Dropping it kills the process.
    drop(program);
    assert_eq!(large_files(data.path()), 1);
    let _next = Program::start(&[folder]);
    assert_eq!(large_files(data.path()), 0);
}

/// Counts files that are or may become images, anywhere in the folder.
fn large_files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let count = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => large_files(&entry.path()),
        Ok(metadata) => {
            let is_database = entry.file_name().to_string_lossy().contains(".db");
            usize::from(metadata.len() > 100_000 && !is_database)
        }
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(count).sum()
}

#[tokio::test]
async fn without_memory_for_answers_there_are_no_codes_and_lists_and_errors_are_short() {
    let token = "an-admin-token-of-many-letters";
    let node = TestNode::with(&[("TONESA_ADMIN_TOKEN", token)]).await;
    let upload = node.uploaded().await.short_id;
    let qr_code = node.get(&format!("/u/{upload}/qr.svg"));
    // Browsers get a page with the form.
    let form = [("content", "")];
    let form = node.post(&format!("/u/{upload}/messages")).form(&form);
    let form = form.header("accept", "text/html");
    let refused = form.try_clone().unwrap().send().await.unwrap();
    let content_type = header(refused.headers(), "content-type");
    assert_eq!(content_type, "text/html; charset=utf-8");
    let budget = &node.node.response_budget;
    // Each address may have half of what is left.
    let all: Vec<_> = (1..=20)
        .map(|n| budget.reserve(IpAddr::V4(Ipv4Addr::from_bits(n)), (128 << 20) >> n))
        .collect();
    assert!(all.iter().all(Result::is_ok));
    problem(form.send().await.unwrap(), 422, "bad-field").await;
    problem(qr_code.send().await.unwrap(), 503, "unavailable").await;
    let list = node.get("/api/admin/uploads").bearer_auth(token);
    let refused = list.try_clone().unwrap().send().await.unwrap();
    problem(refused, 503, "unavailable").await;
    drop(all);
    assert_eq!(list.send().await.unwrap().status(), StatusCode::OK);
    node.wait_until("its memory is free again", async || budget.reserved() == 0)
        .await;
}
