//! `tonesa admin` (operations.md: "Moderation").

use std::process::Output;

use reqwest::StatusCode;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::common::{TestNode, pictures, problem};

const TOKEN: &str = "an-admin-token-of-many-letters";

/// Runs the command for the service at `base`.
async fn run(base: &str, token: &str, args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tonesa"));
    program.arg("admin").args(args).env_clear();
    program
        .env("PUBLIC_URL", base)
        .env("TONESA_ADMIN_TOKEN", token);
    program.output().await.unwrap()
}

async fn succeeds(node: &TestNode, args: &[&str]) -> String {
    let output = run(&node.base(), TOKEN, args).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

async fn fails(node: &TestNode, token: &str, args: &[&str]) -> String {
    let output = run(&node.base(), token, args).await;
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn an_admin_moderates_from_a_shell() {
    let node = TestNode::with(&[("TONESA_ADMIN_TOKEN", TOKEN)]).await;
    let upload: app::model::Upload = node.upload(pictures::png(6, 5)).await.json().await.unwrap();
    let messages = node.post_texts(&upload, &["one", "two"]).await;
    let id = upload.short_id.to_string();
    let path = format!("/api/uploads/{id}/reports");
    let report = node.post(&path).json(&json!({ "reason": "two\nlines" }));
    assert_eq!(report.send().await.unwrap().status(), StatusCode::ACCEPTED);

    let listed = succeeds(&node, &["list", "--reported"]).await;
    assert!(
        listed.contains(&format!("{}/u/{id}\n", node.base())),
        "{listed}"
    );
    assert!(listed.contains("two\n    lines"), "{listed}");
    succeeds(&node, &["dismiss", &id]).await;
    assert_eq!(succeeds(&node, &["list", "--reported"]).await, "");
    assert!(succeeds(&node, &["list"]).await.contains(&id));

    let other = messages[0].id.to_string();
    let refused = fails(&node, TOKEN, &["remove-message", &id, "2", "--id", &other]).await;
    assert!(refused.contains("There is nothing here"), "{refused}");
    succeeds(&node, &["remove-message", &id, "2"]).await;
    succeeds(&node, &["remove", &id, "--block"]).await;
    let gone = node
        .get(&format!("/api/uploads/{id}"))
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), StatusCode::GONE);
    problem(node.upload(pictures::png(6, 5)).await, 403, "blocked").await;

    succeeds(&node, &["block", "192.0.2.7", "--seconds", "600"]).await;
    assert!(
        succeeds(&node, &["blocked"])
            .await
            .starts_with("192.0.2.7  until 20")
    );
    succeeds(&node, &["unblock", "192.0.2.7"]).await;
    assert_eq!(succeeds(&node, &["blocked"]).await, "");
}

#[tokio::test]
async fn failures_say_what_to_do() {
    let node = TestNode::with(&[("TONESA_ADMIN_TOKEN", TOKEN)]).await;
    let unset = fails(&node, "", &["list"]).await;
    assert!(unset.contains("TONESA_ADMIN_TOKEN must be set"), "{unset}");
    let wrong = fails(&node, "another-token-of-letters", &["list"]).await;
    assert!(
        wrong.contains("the token of who runs this service"),
        "{wrong}"
    );
    assert!(!wrong.contains("another-token"), "{wrong}");
    let missing = fails(&node, TOKEN, &["remove", "aB3dE9xZ"]).await;
    assert!(missing.contains("There is nothing here"), "{missing}");
    let base = node.base();
    node.stop().await;
    let output = run(&base, TOKEN, &["list"]).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains(&format!("{base} does not answer")),
        "{error}"
    );
}

/// Clears the screen, in two ways, rings, deletes, and turns the direction of what follows.
const TRICKS: &str = "\u{1b}[2J \u{9b}2J \u{7} \u{8} \u{7f} \r \u{202e}gpj.exe\u{2066}\u{2028}";

fn assert_printable(text: &str) {
    let is_trick = |c: char| {
        let turns = ['\u{202e}', '\u{2066}', '\u{2028}'].contains(&c);
        turns || c.is_control() && c != '\n'
    };
    assert!(!text.contains(is_trick), "{text:?}");
    assert!(text.contains("gpj.exe"), "{text:?}");
}

#[tokio::test]
async fn what_is_printed_cannot_change_how_a_terminal_shows_the_rest() {
    let node = TestNode::with(&[("TONESA_ADMIN_TOKEN", TOKEN)]).await;
    let path = format!("/api/uploads/{}/reports", node.uploaded().await.id);
    let report = node.post(&path).json(&json!({ "reason": TRICKS }));
    assert_eq!(report.send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert_printable(&succeeds(&node, &["list"]).await);

    // The address may be that of any server.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let problem = json!({ "type": "x", "title": "x", "status": 403, "detail": TRICKS }).to_string();
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{problem}",
        problem.len()
    );
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream
    });
    let output = run(&base, TOKEN, &["list"]).await;
    assert!(!output.status.success());
    assert_printable(&String::from_utf8(output.stderr).unwrap());
    drop(answering.await.unwrap());
}
