//! Answers that are never read, one kind at a time and with default limits: the node's memory stays limited, and others
//! are served.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/mod.rs"]
mod common;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{sleep, timeout};

use common::program::{MIB, MemorySampler, Program};
use common::{file_form, pictures};

/// Keeps the tests from loading the machine while another one measures.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
/// How long the attackers keep their connections.
const ATTACK: Duration = Duration::from_secs(5);
/// The most memory that the node may use for one kind of answer: half of what it may use in all.
const MAX_MEMORY: u64 = 512 * MIB;
const MAX_LATENCY: Duration = Duration::from_millis(250);
const HANDSHAKE: &str = "GET /api/socket HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tonesa.v1\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// A small receive buffer in bytes, so that unread bytes are in the node or its kernel.
const RECEIVE_BUFFER: u32 = 4 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_messages() {
    let scenario = Scenario::start().await;
    let id = scenario.upload(1_000).await;
    for number in 0..200 {
        scenario
            .post_text(&id, number, &"\u{1F4CC}".repeat(2_000))
            .await;
    }
    let mut held = Vec::new();
    for number in 0..1_000 {
        let after = number % 100;
        let path = format!("/api/uploads/{id}/messages?after={after}&limit=200");
        held.extend(scenario.ask(1, &path, "t").await);
    }
    scenario.end(held).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_invented_hosts() {
    let scenario = Scenario::start().await;
    let id = scenario.upload(1_000).await;
    for number in 0..60 {
        scenario
            .post_text(&id, number, &"\u{1F4CC}".repeat(2_000))
            .await;
    }
    let mut held = Vec::new();
    for number in 0..900 {
        let host = format!("h{number}.example");
        held.extend(scenario.ask(1, &format!("/u/{id}"), &host).await);
    }
    scenario.end(held).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures() {
    let scenario = Scenario::start().await;
    let id = scenario.upload(19 * 1024 * 1024).await;
    let mut held = Vec::new();
    for number in 0..6_000 {
        held.extend(
            scenario
                .ask(1 + number / 600, &format!("/i/{id}"), "t")
                .await,
        );
    }
    scenario.end(held).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_sockets_while_a_slow_reader_stays() {
    let scenario = Scenario::start().await;
    let (id, other) = (scenario.upload(1_000).await, scenario.upload(2_000).await);
    let text = "長".repeat(2_000);
    for number in 0..40 {
        scenario.post_text(&id, number, &text).await;
    }
    let mut honest = connect([127, 0, 8, 8], scenario.program.address)
        .await
        .unwrap();
    honest.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    honest.write_all(&watch(&other, None)).await.unwrap();
    let reading = tokio::spawn(read_slowly(honest));
    let mut held = Vec::new();
    for number in 0..4_000 {
        if number % 20 == 0 {
            scenario.post_text(&id, 40 + number / 20, &text).await;
        }
        if number % 100 == 0 {
            scenario.post_text(&other, number, &text).await;
        }
        // Hardly any two answers are equal.
        let after = number / 20 + number % 20;
        if let Ok(mut stream) = connect(attacker(1 + number / 800), scenario.program.address).await
            && stream.write_all(HANDSHAKE.as_bytes()).await.is_ok()
            && stream.write_all(&watch(&id, Some(after))).await.is_ok()
        {
            held.push(stream);
        }
    }
    sleep(ATTACK).await;
    assert!(!reading.is_finished(), "the slow reader was disconnected");
    scenario.end(held).await;
}

/// Reads four kilobytes every quarter of a second, as long as the connection is open.
async fn read_slowly(mut stream: TcpStream) {
    let mut some = [0; RECEIVE_BUFFER as usize];
    while stream.read(&mut some).await.is_ok_and(|read| read > 0) {
        sleep(Duration::from_millis(250)).await;
    }
}

/// A node, and a visitor that measures latencies.
struct Scenario {
    program: Program,
    sampler: MemorySampler,
    visitor: tokio::task::JoinHandle<()>,
    latencies: std::sync::Arc<Mutex<Vec<Duration>>>,
    _guard: MutexGuard<'static, ()>,
}

impl Scenario {
    async fn start() -> Self {
        let guard = ONE_AT_A_TIME.lock().await;
        rlimit::increase_nofile_limit(rlimit::INFINITY).unwrap();
        let program = Program::start(&[]);
        let latencies = std::sync::Arc::<Mutex<Vec<Duration>>>::default();
        let visitor = tokio::spawn(visit(program.url("/"), latencies.clone()));
        Self {
            sampler: MemorySampler::start(program.id()),
            program,
            visitor,
            latencies,
            _guard: guard,
        }
    }

    /// Uploads an image of about this many bytes, and returns the short id.
    async fn upload(&self, bytes: u32) -> String {
        let form = file_form(pictures::large_png(bytes));
        let request = client([127, 0, 7, 1]).post(self.program.url("/api/uploads"));
        let response = request.multipart(form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let upload: Value = response.json().await.unwrap();
        upload["shortID"].as_str().unwrap().to_owned()
    }

    /// Posts a message, from as many addresses as the limits require.
    async fn post_text(&self, id: &str, number: usize, text: &str) {
        let from = [127, 0, 6, u8::try_from(1 + number / 20 % 250).unwrap()];
        let url = self.program.url(&format!("/api/uploads/{id}/messages"));
        let name = format!("message-{number}");
        let body = json!({"authorName": "Ada", "content": text, "clientMessageID": name});
        let response = client(from).post(url).json(&body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
    }

    /// Sends a request and reads nothing; `None` if the node refuses the connection.
    async fn ask(&self, attacker_number: usize, path: &str, host: &str) -> Option<TcpStream> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let mut stream = connect(attacker(attacker_number), self.program.address)
            .await
            .ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        Some(stream)
    }

    async fn end(self, held: Vec<TcpStream>) {
        sleep(ATTACK).await;
        self.visitor.abort();
        let memory = self.program.peak_memory() + self.sampler.end();
        let mut latencies = self.latencies.lock().await;
        latencies.sort_unstable();
        let p99 = latencies[latencies.len() * 99 / 100];
        println!(
            "{} connections, {} requests of others: p99 {p99:?}; {} MiB at most",
            held.len(),
            latencies.len(),
            memory / MIB
        );
        assert!(memory < MAX_MEMORY, "{} MiB", memory / MIB);
        assert!(p99 <= MAX_LATENCY, "{p99:?}");
    }
}

/// Requests the page repeatedly, and records the latencies.
async fn visit(page: String, latencies: std::sync::Arc<Mutex<Vec<Duration>>>) {
    let visitor = client([127, 0, 9, 9]);
    loop {
        let asked = Instant::now();
        let response = timeout(Duration::from_secs(10), visitor.get(&page).send()).await;
        assert_eq!(response.unwrap().unwrap().status(), StatusCode::OK);
        latencies.lock().await.push(asked.elapsed());
        sleep(Duration::from_millis(15)).await;
    }
}

/// Makes a client with this address.
fn client(from: [u8; 4]) -> Client {
    let builder = Client::builder().local_address(IpAddr::from(from));
    builder.build().unwrap()
}

fn attacker(number: usize) -> [u8; 4] {
    [127, 0, 5, u8::try_from(number).unwrap()]
}

async fn connect(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

/// Encodes a `watch` command as a text frame, with a mask of zeros.
fn watch(id: &str, after: Option<usize>) -> Vec<u8> {
    let text = json!({"type": "watch", "data": {"uploadID": id, "after": after}}).to_string();
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}
