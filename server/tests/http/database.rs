//! The files of the real program's database: what each contains, and what happens when one is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::program::{Program, program};
use crate::common::{pictures, site};
use crate::process::stderr;

struct Fixture {
    folder: TempDir,
    client: Client,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        Self {
            folder,
            client: Client::new(),
        }
    }

    fn start(&self) -> Program {
        Program::start(&[("TONESA_DATA_DIR", self.data().to_str().unwrap())])
    }

    /// Starts a node that must fail, and returns its error message.
    fn start_error(&self) -> String {
        let mut program = program();
        program.env("TONESA_DATA_DIR", self.data());
        program.env("TONESA_SITE_DIR", site(self.folder.path()));
        let output = program.env("PORT", "0").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Returns the path of a file of the database.
    fn file(&self, end: &str) -> PathBuf {
        self.data().join(format!("tonesa.db{end}"))
    }

    fn log_length(&self) -> u64 {
        fs::metadata(self.file("-wal")).map_or(0, |log| log.len())
    }

    async fn wait_for_checkpoint(&self) {
        for _ in 0..1_000 {
            if self.log_length() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} bytes are in the log only", self.log_length());
    }

    /// Uploads an image and returns its short id.
    async fn upload(&self, node: &Program) -> String {
        let form = Form::new().part("file", Part::bytes(pictures::png(3, 2)));
        let request = self.client.post(node.url("/api/uploads")).multipart(form);
        let upload: Value = request.send().await.unwrap().json().await.unwrap();
        upload["shortID"].as_str().unwrap().to_owned()
    }

    async fn post_text(&self, node: &Program, upload: &str, name: &str) -> StatusCode {
        let url = node.url(&format!("/api/uploads/{upload}/messages"));
        let body = json!({"content": name, "clientMessageID": name});
        let posted = self.client.post(url).json(&body).send().await;
        posted.unwrap().status()
    }

    async fn texts(&self, node: &Program, upload: &str) -> Vec<String> {
        let url = node.url(&format!("/api/uploads/{upload}/messages"));
        let page: Value = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let messages = page["messages"]
            .as_array()
            .unwrap_or_else(|| panic!("{page}"));
        let texts = messages.iter().map(|it| it["content"].as_str().unwrap());
        texts.map(str::to_owned).collect()
    }

    async fn store_state(&self, node: &Program) -> (StatusCode, String) {
        let answer = self.client.get(node.url("/readyz")).send().await.unwrap();
        let status = answer.status();
        let health: Value = answer.json().await.unwrap();
        (
            status,
            health["backends"]["store"].as_str().unwrap().to_owned(),
        )
    }

    async fn wait_until_ready(&self, node: &Program) {
        for _ in 0..1_000 {
            if self.store_state(node).await.0 == StatusCode::OK {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?}", self.store_state(node).await);
    }
}

fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

/// Posts messages, and kills nodes until one has not checkpointed its log; returns all messages.
async fn kill_with_a_log(fixture: &Fixture) -> (String, Vec<String>) {
    let (mut upload, mut posted) = (None, Vec::new());
    for n in 0..10 {
        let node = fixture.start();
        if upload.is_none() {
            upload = Some(fixture.upload(&node).await);
        }
        let upload = upload.clone().unwrap();
        let name = format!("message-{n}");
        assert_eq!(
            fixture.post_text(&node, &upload, &name).await,
            StatusCode::CREATED
        );
        posted.push(name);
        // Dropping it kills the process.
        drop(node);
        if fixture.log_length() > 0 {
            return (upload, posted);
        }
    }
    panic!("the log was checkpointed before each kill");
}

#[tokio::test]
async fn a_log_without_its_database_is_refused_and_nothing_is_lost() {
    let fixture = Fixture::new();
    let (upload, all) = kill_with_a_log(&fixture).await;
    let (away, length) = (fixture.folder.path().join("away.db"), fixture.log_length());
    rename(&fixture.file(""), &away);
    for is_empty in [false, true] {
        if is_empty {
            fs::write(fixture.file(""), "").unwrap();
        }
        let refusal = fixture.start_error();
        let log = fixture.file("-wal");
        assert!(refusal.contains(log.to_str().unwrap()), "{refusal}");
        assert!(refusal.contains("put the database back"), "{refusal}");
        assert!(refusal.contains("move the log away"), "{refusal}");
        assert_eq!(
            fixture.file("").exists(),
            is_empty,
            "no database is created"
        );
        assert_eq!(fixture.log_length(), length);
    }
    rename(&away, &fixture.file(""));
    let node = fixture.start();
    assert_eq!(fixture.texts(&node, &upload).await, all);
}

#[tokio::test]
async fn a_node_starts_with_a_new_database_when_the_log_is_moved_away_too() {
    let fixture = Fixture::new();
    kill_with_a_log(&fixture).await;
    for end in ["", "-wal"] {
        rename(
            &fixture.file(end),
            &fixture.folder.path().join(format!("away{end}")),
        );
    }
    fixture.upload(&fixture.start()).await;
}

#[tokio::test]
async fn acknowledged_messages_are_soon_in_the_database_file() {
    let fixture = Fixture::new();
    let (upload, mut all) = kill_with_a_log(&fixture).await;
    let node = fixture.start();
    fixture.wait_for_checkpoint().await;
    assert_eq!(
        fixture.post_text(&node, &upload, "the-last").await,
        StatusCode::CREATED
    );
    all.push("the-last".to_owned());
    fixture.wait_for_checkpoint().await;
    drop(node);
    let elsewhere = Fixture::new();
    fs::copy(fixture.file(""), elsewhere.file("")).unwrap();
    assert_eq!(elsewhere.texts(&elsewhere.start(), &upload).await, all);
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_is_moved_or_replaced_is_reported_and_not_written() {
    let fixture = Fixture::new();
    let node = fixture.start();
    let upload = fixture.upload(&node).await;
    assert_eq!(
        fixture.post_text(&node, &upload, "before").await,
        StatusCode::CREATED
    );
    assert_eq!(fixture.texts(&node, &upload).await, ["before"]);
    let another = Fixture::new();
    let other_node = another.start();
    another.upload(&other_node).await;
    another.wait_for_checkpoint().await;
    drop(other_node);
    let foreign = fs::read(another.file("")).unwrap();
    let mut all = vec!["before".to_owned()];
    for (moved, replaced) in [("", false), ("", true), ("-wal", false)] {
        let (file, away) = (fixture.file(moved), fixture.folder.path().join("away"));
        rename(&file, &away);
        if replaced {
            fs::write(&file, &foreign).unwrap();
        }
        let name = format!("refused{moved}-{replaced}");
        let refused = fixture.post_text(&node, &upload, &name).await;
        assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE, "{name}");
        let state = fixture.store_state(&node).await;
        assert_eq!(state, (StatusCode::SERVICE_UNAVAILABLE, "moved".to_owned()));
        assert_eq!(fixture.texts(&node, &upload).await, all, "reads still work");
        if replaced {
            // Long enough for a checkpoint.
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            assert_eq!(fs::read(&file).unwrap(), foreign);
        }
        rename(&away, &file);
        fixture.wait_until_ready(&node).await;
        let name = format!("after{moved}-{replaced}");
        assert_eq!(
            fixture.post_text(&node, &upload, &name).await,
            StatusCode::CREATED
        );
        all.push(name);
        assert_eq!(fixture.texts(&node, &upload).await, all);
    }
    node.signal("TERM");
    let (code, log) = node.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("ERROR") && log.contains("moved away"), "{log}");
    assert!(log.contains("back in its place"), "{log}");
    assert_eq!(fixture.texts(&fixture.start(), &upload).await, all);
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_is_moved_away_is_noticed_without_requests() {
    let fixture = Fixture::new();
    let node = fixture.start();
    rename(&fixture.file(""), &fixture.folder.path().join("away"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    node.signal("TERM");
    let (_, log) = node.ended();
    let before_the_end = log.split("stopping").next().unwrap();
    assert!(before_the_end.contains("moved away"), "{log}");
}
