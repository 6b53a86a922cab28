//! Connections: limits per address, clients that do not read, and clients that close their side.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use app::model::UploadRef;
use futures::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, pictures, raw};

const LIVE: &str = "GET /livez HTTP/1.1\r\nHost: t\r\n\r\n";

/// Connects from this local address.
async fn connect_from(last: u8, node: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from = Ipv4Addr::new(127, 0, 0, last);
    socket.bind((from, 0).into()).unwrap();
    socket.connect(node).await.unwrap()
}

/// Returns whether the node answers on the connection, which stays open; connections beyond the limit are closed.
async fn is_served(stream: &mut TcpStream) -> bool {
    if stream.write_all(LIVE.as_bytes()).await.is_err() {
        return false;
    }
    let mut answer = [0; 4096];
    let read = timeout(raw::TIMEOUT, stream.read(&mut answer)).await;
    let read = read.expect("the node answers or ends the connection");
    read.is_ok_and(|_| answer.starts_with(b"HTTP/1.1 200 "))
}

async fn are_served(streams: &mut [TcpStream]) -> usize {
    let mut served = 0;
    for stream in streams {
        served += usize::from(is_served(stream).await);
    }
    served
}

async fn connect_often(times: usize, last: u8, node: SocketAddr) -> Vec<TcpStream> {
    join_all((0..times).map(|_| connect_from(last, node))).await
}

#[tokio::test]
async fn idle_connections_of_one_address_leave_room_for_others() {
    let node = TestNode::with(&[("TONESA_MAX_CONNECTIONS", "90")]).await;
    let mut idle = connect_often(100, 1, node.address).await;
    assert_eq!(are_served(&mut idle).await, 11);
    let mut others = Vec::new();
    for last in 2..=20 {
        others.push(connect_from(last, node.address).await);
    }
    assert_eq!(are_served(&mut others).await, 19);
    drop(idle);
    node.wait_until("its places are free again", async || {
        is_served(&mut connect_from(1, node.address).await).await
    })
    .await;
}

#[tokio::test]
async fn connections_are_limited_per_address_without_sockets() {
    let node = TestNode::with(&[("TONESA_MAX_CONNECTIONS_PER_ADDRESS", "3")]).await;
    let upload = node.uploaded().await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let mut socket = SocketClient::connect(&node.base()).await;
        socket.watch(UploadRef::Id(upload.id), None).await;
        sockets.push(socket);
    }
    // The client that uploaded keeps its connection.
    let mut connections = connect_often(6, 1, node.address).await;
    assert_eq!(are_served(&mut connections).await, 2);
    let mut of_another = connect_often(6, 2, node.address).await;
    assert_eq!(are_served(&mut of_another).await, 3);
}

#[tokio::test]
async fn connections_of_a_trusted_proxy_are_not_limited_by_address() {
    let node = TestNode::with(&[
        ("TONESA_MAX_CONNECTIONS_PER_ADDRESS", "1"),
        ("TONESA_TRUSTED_PROXIES", "127.0.0.1"),
    ])
    .await;
    let mut connections = connect_often(20, 1, node.address).await;
    assert_eq!(are_served(&mut connections).await, 20);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn unread_answers_use_little_memory_of_the_system() {
    const CLIENTS: usize = 300;
    let node = TestNode::start().await;
    let large = node.upload(pictures::large_png(8_000_000)).await;
    let upload: app::model::Upload = large.json().await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: t\r\n\r\n", upload.content.url);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        let mut client = socket.connect(node.address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        clients.push(client);
    }
    // The node refuses some: one address may not have all the memory for answers.
    let mut answered = 0;
    for client in &clients {
        let mut status = [0; 12];
        client.peek(&mut status).await.unwrap();
        answered += usize::from(status == *b"HTTP/1.1 200");
    }
    let started = std::time::Instant::now();
    assert!(is_served(&mut connect_from(2, node.address).await).await);
    assert!(started.elapsed() < Duration::from_secs(2));
    // When the last one waits, the others have had the time to fill the system's buffers.
    let port = node.address.port();
    let all_wait = async || unsent_bytes(port).len() == answered;
    node.wait_until("a part of each answer waits in the system", all_wait)
        .await;
    let each = unsent_bytes(port).iter().sum::<usize>() / answered;
    println!("{each} bytes of each of {answered} answers wait in the system");
    assert!(answered > 50 && each < 160 * 1024, "{each} bytes each");
}

/// Returns how many bytes written to connections at this port are buffered by the system, of those that have any.
#[cfg(target_os = "linux")]
fn unsent_bytes(port: u16) -> Vec<usize> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{port:04X}");
    let rows = table.lines().map(str::split_whitespace);
    rows.filter_map(|mut row| {
        let is_ours = row.nth(1)?.ends_with(&local);
        let queues = row.nth(2)?;
        let unsent = queues.split_once(':')?.0;
        is_ours.then(|| usize::from_str_radix(unsent, 16).unwrap())
    })
    .filter(|unsent| *unsent > 0)
    .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected_and_its_buffers_are_freed() {
    let node = TestNode::start().await;
    let large = node.upload(pictures::large_png(8_000_000)).await;
    let upload: app::model::Upload = large.json().await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut client = socket.connect(node.address).await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: t\r\n\r\n", upload.content.url);
    client.write_all(request.as_bytes()).await.unwrap();
    let port = node.address.port();
    let waits = async || !unsent_bytes(port).is_empty();
    node.wait_until("a part of the answer waits in the system", waits)
        .await;
    let given_up = async {
        while !unsent_bytes(port).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(40), given_up)
        .await
        .expect("the client is disconnected");
    let mut answer = Vec::new();
    let ended = client.read_to_end(&mut answer).await;
    let error = ended.expect_err("the answer is incomplete");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_client_that_closes_its_side_after_the_request_gets_the_answer() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let large = node.upload(pictures::large_png(3_000_000)).await;
    let large: app::model::Upload = large.json().await.unwrap();
    let head = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n");
    let body = json!({"content": "half", "clientMessageID": "half"}).to_string();
    let path = format!("/api/uploads/{}/messages", upload.id);
    let length = body.len();
    let post = format!(
        "POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    for (request, status, least) in [
        (head("/"), 200, 1_000),
        (head(&path), 200, 10),
        (head(&large.content.url), 200, 3_000_000),
        (post, 201, 10),
    ] {
        let mut stream = TcpStream::connect(node.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = raw::read_all(&mut stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.len() > least, "{} bytes", answer.len());
    }
    let said = node.get(&path).send().await.unwrap();
    assert!(said.text().await.unwrap().contains("\"half\""));
}

#[tokio::test]
async fn a_client_that_disconnects_ends_its_long_answer() {
    let node = TestNode::start().await;
    let large = node.upload(pictures::large_png(8_000_000)).await;
    let upload: app::model::Upload = large.json().await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut client = socket.connect(node.address).await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: t\r\n\r\n", upload.content.url);
    client.write_all(request.as_bytes()).await.unwrap();
    client.readable().await.unwrap();
    drop(client);
    let started = std::time::Instant::now();
    node.stop().await;
    assert!(started.elapsed() < Duration::from_secs(3));
}
