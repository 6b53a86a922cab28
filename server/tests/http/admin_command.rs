//! `tonesa admin` (operations.md: "Moderation").

use std::process::Output;

use reqwest::StatusCode;
use serde_json::json;
use tokio::process::Command;

use crate::common::{TestNode, pictures, problem};

const TOKEN: &str = "an-admin-token-of-many-letters";

async fn run(node: &TestNode, token: &str, args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tonesa"));
    program.arg("admin").args(args).env_clear();
    program
        .env("PUBLIC_URL", node.base())
        .env("TONESA_ADMIN_TOKEN", token);
    program.output().await.unwrap()
}

async fn succeeds(node: &TestNode, args: &[&str]) -> String {
    let output = run(node, TOKEN, args).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

async fn fails(node: &TestNode, token: &str, args: &[&str]) -> String {
    let output = run(node, token, args).await;
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
    let mut program = Command::new(env!("CARGO_BIN_EXE_tonesa"));
    program.args(["admin", "list"]).env_clear();
    program
        .env("PUBLIC_URL", &base)
        .env("TONESA_ADMIN_TOKEN", TOKEN);
    let output = program.output().await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains(&format!("{base} does not answer")),
        "{error}"
    );
}
