//! Images that are made to exhaust a node, uploaded to the real program with its defaults.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode};
use server::image::POOL_MEMORY;

use crate::common::program::{MIB, MemorySampler, Program};
use crate::common::{bomb, pictures};

/// Uploads the bytes as a client with this address.
async fn upload(program: &Program, client: &Client, address: &str, bytes: Vec<u8>) -> StatusCode {
    let form = Form::new().part("file", Part::bytes(bytes).file_name("a.webp"));
    let request = client.post(program.url("/api/uploads")).multipart(form);
    let request = request.header("x-forwarded-for", address);
    request.send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn decompression_bombs_are_refused_within_the_memory_limit() {
    let program = Program::start(&[("TONESA_TRUSTED_PROXIES", "127.0.0.1")]);
    let sampler = MemorySampler::start(program.id());
    let client = Client::new();
    let bytes = bomb::webp();
    let bombs = stream::iter(0..20).map(|n| {
        let address = ["192.0.2.1", "192.0.2.3"][n % 2];
        upload(&program, &client, address, bytes.clone())
    });
    let bombs = async {
        let statuses: Vec<_> = bombs.buffer_unordered(2).collect().await;
        assert_eq!(statuses, [StatusCode::UNPROCESSABLE_ENTITY; 20]);
    };
    let others = async {
        for _ in 0..5 {
            let started = Instant::now();
            let status = upload(&program, &client, "192.0.2.2", pictures::png(3, 2)).await;
            assert_eq!(status, StatusCode::CREATED);
            let elapsed = started.elapsed();
            assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
        }
    };
    tokio::join!(bombs, others);
    let (children, node) = (sampler.end(), program.peak_memory());
    println!(
        "children {} MiB, node {} MiB at most",
        children / MIB,
        node / MIB
    );
    assert!(children > 0);
    assert!(children <= POOL_MEMORY, "{} MiB", children / MIB);
    assert!(node < 200 * MIB, "{} MiB", node / MIB);
}
