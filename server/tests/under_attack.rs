//! The worst that a few addresses can do with default limits, at the same time: decompression bombs, sockets and long
//! answers that are never read. The node's memory stays limited, and others are served.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/mod.rs"]
mod common;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use common::program::{MIB, MemorySampler, Program};
use common::{bomb, file_form, pictures};

const ATTACKERS: [[u8; 4]; 3] = [[127, 0, 0, 11], [127, 0, 0, 12], [127, 0, 0, 13]];
/// A client that views the page and posts messages.
const VISITOR: [u8; 4] = [127, 0, 0, 21];
/// How long the attack lasts.
const ATTACK: Duration = Duration::from_secs(15);
/// How long the visitor is alone before.
const CALM: Duration = Duration::from_secs(3);
const SOCKETS: usize = 100;
const LONG_ANSWERS: usize = 100;
/// The most memory of the node and its children together.
const MAX_MEMORY: u64 = 1024 * MIB;
/// How much the attack may raise the 99th percentile of the visitor's latencies, which is the rendering of a long page:
/// the attackers use the same two cores.
const MAX_SLOWDOWN: u32 = 10;
/// What is not felt in any case.
const UNNOTICED: Duration = Duration::from_millis(250);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_attackers_neither_exhaust_the_node_nor_delay_others() {
    let program = Program::start(&[]);
    let visitor = client(VISITOR);
    let target = Target::prepare(&program, &visitor).await;
    let attack = Arc::new(Attack {
        address: program.address,
        target,
    });
    let calm = p99(&visit(&program, &visitor, &attack.target, CALM).await);
    let sampler = MemorySampler::start(program.id());
    let attackers = ATTACKERS.map(|from| tokio::spawn(Arc::clone(&attack).run(from)));
    let latencies = visit(&program, &visitor, &attack.target, ATTACK).await;
    for attacker in attackers {
        attacker.abort();
    }
    let memory = program.peak_memory() + sampler.end();
    let p99 = p99(&latencies);
    println!(
        "{} requests under attack: p50 {:?}, p99 {p99:?}, {calm:?} before; {} MiB at most",
        latencies.len(),
        latencies[latencies.len() / 2],
        memory / MIB,
    );
    assert!(memory < MAX_MEMORY, "{} MiB", memory / MIB);
    assert!(p99 <= (calm * MAX_SLOWDOWN).max(UNNOTICED), "{p99:?}");
}

/// The 99th percentile of sorted latencies.
fn p99(latencies: &[Duration]) -> Duration {
    latencies[latencies.len() * 99 / 100]
}

/// Makes a client with this address.
fn client(from: [u8; 4]) -> Client {
    Client::builder()
        .local_address(IpAddr::from(from))
        .build()
        .unwrap()
}

/// An upload with long messages and a large image.
struct Target {
    short_id: String,
}

impl Target {
    async fn prepare(program: &Program, client: &Client) -> Self {
        let picture = pictures::large_png(19 * 1024 * 1024);
        let upload = client
            .post(program.url("/api/uploads"))
            .multipart(file_form(picture));
        let response = upload.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let upload: Value = response.json().await.unwrap();
        let target = Self {
            short_id: upload["shortID"].as_str().unwrap().to_owned(),
        };
        for number in 0..60 {
            assert_eq!(
                target
                    .post_text(
                        program,
                        client,
                        &format!("long-{number}"),
                        &"長".repeat(2_000)
                    )
                    .await,
                StatusCode::CREATED
            );
        }
        target
    }

    async fn post_text(
        &self,
        program: &Program,
        client: &Client,
        id: &str,
        text: &str,
    ) -> StatusCode {
        let path = format!("/api/uploads/{}/messages", self.short_id);
        let body = json!({"authorName": "Ada", "content": text, "clientMessageID": id});
        client
            .post(program.url(&path))
            .json(&body)
            .send()
            .await
            .unwrap()
            .status()
    }
}

/// What the attackers share.
struct Attack {
    address: SocketAddr,
    target: Target,
}

impl Attack {
    /// Attacks in every way from one address, until it is aborted.
    async fn run(self: Arc<Self>, from: [u8; 4]) {
        let bombs = self.upload_bombs(from);
        let sockets = join_all((0..SOCKETS).map(|_| self.watch_without_reading(from)));
        let answers = join_all((0..LONG_ANSWERS).map(|_| self.ask_without_reading(from)));
        tokio::join!(bombs, sockets, answers);
    }

    /// Uploads bombs repeatedly, two at a time.
    async fn upload_bombs(&self, from: [u8; 4]) {
        let bomb = bomb::webp();
        let client = client(from);
        let url = format!("http://{}/api/uploads", self.address);
        let one_after_another = || async {
            loop {
                drop(
                    client
                        .post(&url)
                        .multipart(file_form(bomb.clone()))
                        .send()
                        .await,
                );
                sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::join!(one_after_another(), one_after_another());
    }

    /// Sends as many `watch` commands as a socket may, and reads nothing.
    async fn watch_without_reading(&self, from: [u8; 4]) {
        loop {
            let handshake = "GET /api/socket HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tonesa.v1\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            let watch =
                json!({"type": "watch", "data": {"uploadID": self.target.short_id, "after": null}});
            let watch = masked(&watch.to_string());
            if let Ok(mut stream) = connect(from, self.address).await
                && stream.write_all(handshake.as_bytes()).await.is_ok()
            {
                let asks = async {
                    while stream.write_all(&watch).await.is_ok() {
                        sleep(Duration::from_millis(10)).await;
                    }
                };
                drop(timeout(ATTACK, asks).await);
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Requests the large image and the long messages, and reads neither.
    async fn ask_without_reading(&self, from: [u8; 4]) {
        let id = &self.target.short_id;
        let paths = [
            format!("/i/{id}"),
            format!("/api/uploads/{id}/messages?limit=200"),
        ];
        for path in paths.iter().cycle() {
            let request = format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n").repeat(20);
            if let Ok(mut stream) = connect(from, self.address).await
                && stream.write_all(request.as_bytes()).await.is_ok()
            {
                // Until the node closes the connection.
                let mut nothing = [0];
                while stream.peek(&mut nothing).await.is_ok_and(|open| open > 0) {
                    sleep(Duration::from_millis(200)).await;
                }
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Connects with the default receive buffer.
async fn connect(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

/// Encodes a text frame as clients send it, with a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

/// Views and posts as people do, and returns the sorted latencies.
async fn visit(
    program: &Program,
    visitor: &Client,
    target: &Target,
    duration: Duration,
) -> Vec<Duration> {
    let started = Instant::now();
    let mut latencies = Vec::new();
    let page = program.url(&format!("/u/{}", target.short_id));
    while started.elapsed() < duration {
        for number in 0..20 {
            let asked = Instant::now();
            let status = if number == 0 {
                target
                    .post_text(
                        program,
                        visitor,
                        &format!("m-{duration:?}-{}", latencies.len()),
                        "and I?",
                    )
                    .await
            } else {
                visitor.get(&page).send().await.unwrap().status()
            };
            assert!(status.is_success(), "{status}");
            latencies.push(asked.elapsed());
            sleep(Duration::from_millis(15)).await;
        }
    }
    latencies.sort_unstable();
    latencies
}
