//! A reader of the real program's log that hangs.

use std::io::{BufRead, BufReader, Lines, PipeReader, pipe};
use std::process::Child;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Client;
use serde_json::Value;

use crate::common::program::program;
use crate::common::site;

type Log = Lines<BufReader<PipeReader>>;

/// Returns the value of this field in the next line that has it.
fn field(log: &mut Log, name: &str) -> String {
    let found = log.find_map(|line| {
        let event: Value = serde_json::from_str(&line.unwrap()).ok()?;
        Some(event[name].as_str()?.to_owned())
    });
    found.expect("the line comes")
}

/// Killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts the program with output and errors in one pipe, as in a container; returns the addresses that it serves at.
fn start(folder: &std::path::Path) -> (Running, Log, [String; 2]) {
    let (read, write) = pipe().unwrap();
    let mut program = program();
    program
        .env("PORT", "0")
        .env("METRICS_PORT", "0")
        .env("TONESA_DATA_DIR", folder.join("data"))
        .env("TONESA_SITE_DIR", site(folder))
        .env("TONESA_LOG", "info,server::http::request_log=debug")
        .stdout(write.try_clone().unwrap())
        .stderr(write);
    let child = Running(program.spawn().unwrap());
    // The command keeps the writing ends open.
    drop(program);
    let mut log = BufReader::new(read).lines();
    let metrics = field(&mut log, "metrics");
    let address = field(&mut log, "address");
    (child, log, [address, metrics])
}

async fn dropped_lines(client: &Client, metrics: &str) -> u64 {
    let metrics = client.get(format!("http://{metrics}/metrics"));
    let figures = metrics.send().await.unwrap().text().await.unwrap();
    let name = "tonesa_log_lines_dropped_total ";
    let line = figures.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_hanging_log_reader_blocks_nothing_and_dropped_lines_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut log, [address, metrics]) = start(folder.path());
    let client = Client::builder()
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    let url = format!("http://{address}/livez");
    while dropped_lines(&client, &metrics).await == 0 {
        let requests = (0..64).map(async |_| {
            for _ in 0..8 {
                client.get(&url).send().await.expect("an answer");
            }
        });
        join_all(requests).await;
    }

    // Lines are read again, and one reports how many are missing.
    let reading = tokio::task::spawn_blocking(move || {
        let report = log.find(|line| line.as_ref().unwrap().contains("log lines were dropped"));
        (log, report.unwrap().unwrap())
    });
    let (log, report) = reading.await.unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(report["lines"].as_u64() > Some(0), "{report}");

    // The reader hangs again, and the program still ends.
    let all = (0..1_000).map(|_| client.get(&url).send());
    join_all(all).await;
    let pid = child.0.id().to_string();
    let mut kill = std::process::Command::new("kill");
    assert!(kill.args(["-s", "TERM", &pid]).status().unwrap().success());
    let started = Instant::now();
    let ended = tokio::task::spawn_blocking(move || child.0.wait().unwrap());
    assert_eq!(ended.await.unwrap().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10));
    drop(log);
}
