//! Pictures that are made to exhaust a node, uploaded to the real program at its defaults.
#![cfg(target_os = "linux")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode};
use server::image::POOL_MEMORY;

use crate::common::{bomb, pictures};
use crate::process::Program;

const MIB: u64 = 1024 * 1024;

/// Uploads the bytes as a client of this address.
async fn upload(program: &Program, client: &Client, address: &str, bytes: Vec<u8>) -> StatusCode {
    let form = Form::new().part("file", Part::bytes(bytes).file_name("a.webp"));
    let request = client.post(program.url("/api/uploads")).multipart(form);
    let request = request.header("x-forwarded-for", address);
    request.send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_bombs_two_at_a_time_are_refused_within_the_memory_for_pictures() {
    let program = Program::start(&[("TONESA_TRUSTED_PROXIES", "127.0.0.1")]);
    let watch = Watch::over(program.id());
    let client = Client::new();
    let bytes = bomb::webp();
    let bombs = stream::iter(0..20).map(|_| upload(&program, &client, "192.0.2.1", bytes.clone()));
    let bombs = async {
        let told: Vec<_> = bombs.buffer_unordered(2).collect().await;
        assert_eq!(told, [StatusCode::UNPROCESSABLE_ENTITY; 20]);
    };
    let others = async {
        for _ in 0..5 {
            let started = Instant::now();
            let told = upload(&program, &client, "192.0.2.2", pictures::png(3, 2)).await;
            assert_eq!(told, StatusCode::CREATED);
            let took = started.elapsed();
            assert!(took < Duration::from_secs(3), "{took:?}");
        }
    };
    tokio::join!(bombs, others);
    let (children, node) = (watch.end(), program.peak_memory());
    println!(
        "children {} MiB, node {} MiB at most",
        children / MIB,
        node / MIB
    );
    assert!(children > 0);
    assert!(children <= POOL_MEMORY, "{} MiB", children / MIB);
    assert!(node < 200 * MIB, "{} MiB", node / MIB);
}

/// Looks at how much memory of their own the children of a process have, all together.
pub struct Watch {
    most: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
    watching: std::thread::JoinHandle<()>,
}

impl Watch {
    pub fn over(parent: u32) -> Self {
        let (most, ends) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (seen, ended) = (Arc::clone(&most), Arc::clone(&ends));
        let watching = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let all = children(parent).iter().map(|pid| own_memory(pid)).sum();
                seen.fetch_max(all, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self {
            most,
            ends,
            watching,
        }
    }

    /// The most bytes that were seen.
    pub fn end(self) -> u64 {
        self.ends.store(true, Ordering::Relaxed);
        self.watching.join().unwrap();
        self.most.load(Ordering::Relaxed)
    }
}

/// A process is a child of the thread that started it.
fn children(parent: u32) -> Vec<String> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return Vec::new();
    };
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|pids| {
            pids.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn own_memory(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0_u64) * 1024
}
