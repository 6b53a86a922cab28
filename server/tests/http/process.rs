//! The real program: its log, its memory, and how it ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[cfg(target_os = "linux")]
use crate::common::program::MemorySampler;
use crate::common::program::{MIB, Program, program};
use crate::common::{pictures, raw, site};

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn twenty_concurrent_large_uploads_stay_below_700_mib() {
    let program = Program::start(&[("TONESA_TRUSTED_PROXIES", "127.0.0.1")]);
    let picture = pictures::large_png(20 * 1024 * 1024 - 100_000);
    assert!(
        picture.len() as u64 > 19 * MIB && picture.len() as u64 <= 20 * MIB,
        "{}",
        picture.len()
    );
    let sampler = MemorySampler::start(program.id());
    let client = Client::new();
    let uploads = (1..=20).map(|n| {
        let part = Part::bytes(picture.clone()).file_name("large.png");
        let form = Form::new().part("file", part);
        client
            .post(program.url("/api/uploads"))
            .header("x-forwarded-for", format!("192.0.2.{n}"))
            .multipart(form)
            .send()
    });
    for response in join_all(uploads).await {
        assert_eq!(response.unwrap().status(), StatusCode::CREATED);
    }
    let (node, children) = (program.peak_memory(), sampler.end());
    println!(
        "20 uploads of {} bytes at once: node {} MiB, its children {} MiB at most",
        picture.len(),
        node / MIB,
        children / MIB
    );
    let peak = node + children;
    assert!(peak < 700 * MIB, "{} MiB", peak / MIB);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_makes_the_program_unready() {
    let program = Program::run(program_ignoring_sigxfsz(), &[]);
    program.fill_disk();
    let response = reqwest::get(program.url("/readyz")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let health: Value = response.json().await.unwrap();
    assert_eq!(health["backends"]["store"], "away", "{health}");
    assert_eq!(health["backends"]["blobs"], "away", "{health}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_failed_write_is_logged_with_the_request_id() {
    let program = Program::run(program_ignoring_sigxfsz(), &[]);
    let client = Client::new();
    let form = Form::new().part("file", Part::bytes(pictures::png(3, 2)));
    let upload = client.post(program.url("/api/uploads")).multipart(form);
    let upload: Value = upload.send().await.unwrap().json().await.unwrap();
    program.fill_disk();
    let path = format!(
        "/api/uploads/{}/messages",
        upload["shortID"].as_str().unwrap()
    );
    let body = serde_json::json!({"content": "hello", "clientMessageID": "m"});
    let request = client.post(program.url(&path)).json(&body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let id = response.headers()["x-request-id"].to_str().unwrap();
    program.signal("TERM");
    let (_, log) = program.ended();
    let is_logged = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .any(|event| event["level"] == "WARN" && event["span"]["id"] == id);
    assert!(is_logged, "{log}");
}

/// Starts the program so that it is not killed when it writes beyond the limit.
#[cfg(target_os = "linux")]
pub fn program_ignoring_sigxfsz() -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().args(["-c", "trap '' XFSZ; exec \"$0\""]);
    shell.arg(env!("CARGO_BIN_EXE_tonesa"));
    shell
}

#[tokio::test]
async fn sigterm_ends_the_program_within_10_s_even_if_a_request_hangs() {
    let program = Program::start(&[]);
    let head = "POST /api/uploads HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\n\
                Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n";
    let mut stream = TcpStream::connect(program.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    raw::read_until(&mut stream, "100 Continue").await;
    let started = Instant::now();
    program.signal("TERM");
    let (code, log) = program.ended();
    assert_eq!(code, Some(0));
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    assert!(log.contains("stopped"), "{log}");
}

#[tokio::test]
async fn an_idle_program_ends_at_once_with_either_signal() {
    for name in ["TERM", "INT"] {
        let program = Program::start(&[]);
        let kept_alive = Client::new();
        kept_alive.get(program.url("/livez")).send().await.unwrap();
        let started = Instant::now();
        program.signal(name);
        assert_eq!(program.ended().0, Some(0));
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn requests_are_logged_without_texts_or_addresses_of_uploads() {
    let program = Program::start(&[("TONESA_TRUSTED_PROXIES", "127.0.0.1")]);
    let client = Client::new();
    let form = Form::new().part(
        "file",
        Part::bytes(pictures::png(3, 2)).file_name("secret-name.png"),
    );
    let upload = client
        .post(program.url("/api/uploads"))
        .multipart(form)
        .send()
        .await
        .unwrap();
    let upload: Value = upload.json().await.unwrap();
    let short_id = upload["shortID"].as_str().unwrap().to_owned();
    let body = serde_json::json!({"authorName": "secret alias", "content": "secret words", "clientMessageID": "m"});
    let path = format!("/api/uploads/{short_id}/messages?after=0&token=secret-query");
    let request = client
        .post(program.url(&path))
        .header("x-request-id", "trace-me")
        .json(&body);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
    program.signal("TERM");
    let (_, log) = program.ended();
    let events: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let posted = events
        .iter()
        .find(|event| event["span"]["id"] == "trace-me")
        .expect("the request is logged");
    assert_eq!(posted["status"], 201);
    assert_eq!(posted["span"]["method"], "POST");
    assert_eq!(posted["span"]["route"], "/api/uploads/{id}/messages");
    assert!(posted["micros"].is_number());
    for secret in ["secret", &short_id, "127.0.0.1"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

#[tokio::test]
async fn who_may_block_addresses_finds_those_that_write_in_the_log() {
    let program = Program::start(&[("TONESA_ADMIN_TOKEN", "0123456789abcdefghij")]);
    let client = reqwest::Client::new();
    let path = "/api/uploads/aB3dE9xZ/messages";
    for request in [
        client.get(program.url(path)),
        client.post(program.url(path)),
    ] {
        request
            .header("content-type", "application/json")
            .send()
            .await
            .unwrap();
    }
    program.signal("TERM");
    let (_, log) = program.ended();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_route = lines.filter(|it| it["span"]["route"] == "/api/uploads/{id}/messages");
    let clients: Vec<_> = of_route
        .map(|it| (it["span"]["method"].clone(), it["client"].clone()))
        .collect();
    let expected = [("GET", Value::Null), ("POST", "127.0.0.1".into())];
    assert_eq!(
        clients,
        expected.map(|(method, client)| (method.into(), client))
    );
}

#[tokio::test]
async fn a_long_method_is_not_logged() {
    let program = Program::start(&[("TONESA_LOG", "trace")]);
    let method = "M".repeat(20_000);
    let request = format!("{method} / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    let answer = raw::exchange(program.address, request).await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    program.signal("TERM");
    let (_, log) = program.ended();
    let events = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let logged: Vec<Value> = events
        .filter(|event: &Value| event["span"]["method"] == "(long)")
        .collect();
    assert!(!logged.is_empty(), "{log}");
    assert!(!log.contains(&method), "the method is in the log");
}

#[test]
fn risky_settings_are_warned_of_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program()
        .env("PORT", "0")
        .env("TONESA_BIND", "0.0.0.0")
        .env("TONESA_TRUSTED_PROXIES", "::/0")
        .env("TONESA_DATA_DIR", folder.path().join("data"))
        .env("TONESA_SITE_DIR", site(folder.path()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let events = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let warnings: Vec<_> = events
        .take_while(|event| event["address"].is_null())
        .filter(|event| event["level"] == "WARN")
        .map(|event| event["message"].to_string())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for name in ["PUBLIC_URL", "TONESA_TRUSTED_PROXIES"] {
        assert!(warnings.iter().any(|it| it.contains(name)), "{warnings:?}");
    }
}
