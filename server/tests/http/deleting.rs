//! Deleting messages and uploads, and their expiry (protocol.md: "The conversation is a log", "Gone").

use app::model::{LogEntry, LogPage, Seq, ShortId, Upload};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::hub::deleting::{MAX_DELETIONS, MAX_DELETIONS_PER_UPLOAD};

use crate::common::faults::{Mode, Switches};
use crate::common::{TestNode, pictures, problem};

const OWNER: &str = "0123456789abcdef-owner";
const AUTHOR: &str = "0123456789abcdef-author";

async fn upload_as(node: &TestNode, secret: Option<&str>, expires_in: Option<&str>) -> Value {
    let mut form = Form::new();
    if let Some(seconds) = expires_in {
        form = form.text("expiresIn", seconds.to_owned());
    }
    let file = Part::bytes(pictures::png(20, 10)).file_name("a.png");
    let mut request = node.post("/api/uploads").multipart(form.part("file", file));
    if let Some(secret) = secret {
        request = request.bearer_auth(secret);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{body}");
    body
}

fn short_id(upload: &Value) -> ShortId {
    upload["shortID"].as_str().unwrap().parse().unwrap()
}

async fn post(node: &TestNode, id: ShortId, text: &str) -> Value {
    let body = json!({"authorName": "Ada", "content": text, "clientMessageID": text});
    let post = node.post(&format!("/api/uploads/{id}/messages"));
    let response = post.bearer_auth(AUTHOR).json(&body).send().await.unwrap();
    response.json().await.unwrap()
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

async fn entries(node: &TestNode, id: ShortId) -> Vec<LogEntry> {
    let path = format!("/api/uploads/{id}/messages");
    let page: LogPage = node.get(&path).send().await.unwrap().json().await.unwrap();
    page.entries
}

#[tokio::test]
async fn a_message_is_deleted_by_its_author_or_the_owner_and_by_nobody_else() {
    let node = TestNode::start().await;
    let id = short_id(&upload_as(&node, Some(OWNER), None).await);
    for text in ["said-first", "said-second", "said-third"] {
        post(&node, id, text).await;
    }
    let message = |seq: &str| node.delete(&format!("/api/uploads/{id}/messages/{seq}"));
    for refused in [
        message("1"),
        message("1").bearer_auth("another-secret-of-22-ch"),
    ] {
        problem(refused.send().await.unwrap(), 403, "not-owner").await;
    }
    assert_eq!(
        status(message("1").bearer_auth("short")).await,
        StatusCode::UNAUTHORIZED
    );
    let foreign = message("1")
        .bearer_auth(AUTHOR)
        .header("origin", "https://evil.example");
    assert_eq!(status(foreign).await, StatusCode::FORBIDDEN);
    assert_eq!(entries(&node, id).await.len(), 3);
    for secret in [AUTHOR, AUTHOR, OWNER] {
        assert_eq!(
            status(message("1").bearer_auth(secret)).await,
            StatusCode::NO_CONTENT
        );
    }
    assert_eq!(
        status(message("2").bearer_auth(OWNER)).await,
        StatusCode::NO_CONTENT
    );
    for unknown in ["0", "4", "9", "-1", "x", "18446744073709551616"] {
        let answer = status(message(unknown).bearer_auth(OWNER)).await;
        assert_eq!(answer, StatusCode::NOT_FOUND, "{unknown}");
    }
    let entries = entries(&node, id).await;
    assert_eq!(entries.len(), 5);
    let left: Vec<_> = entries.iter().filter_map(LogEntry::message).collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].seq, Seq::new(3));
    let page = node.get(&format!("/u/{id}")).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(!page.contains("said-first") && !page.contains("said-second"));
    assert!(page.contains("said-third"));
    // Posting it again finds what is left of it.
    let again = post(&node, id, "said-first").await;
    assert_eq!(
        (again["seq"].as_u64(), again.get("content")),
        (Some(1), None),
        "{again}"
    );
    assert!(again["deletedAt"].is_string());
}

#[tokio::test]
async fn a_message_is_not_deleted_by_the_id_of_another_one() {
    let node = TestNode::start().await;
    let id = short_id(&upload_as(&node, Some(OWNER), None).await);
    let first = post(&node, id, "said-first").await;
    let second = post(&node, id, "said-second").await;
    let delete = |query: &str| {
        node.delete(&format!("/api/uploads/{id}/messages/2{query}"))
            .bearer_auth(OWNER)
    };
    let by_id = |message: &Value| format!("?id={}", message["id"].as_str().unwrap());
    let other = delete(&by_id(&first)).send().await.unwrap();
    problem(other, 404, "not-found").await;
    for wrong in [
        "?id=".to_owned(),
        "?id=x".to_owned(),
        format!("{}&id=x", by_id(&second)),
    ] {
        let answer = problem(delete(&wrong).send().await.unwrap(), 422, "bad-field").await;
        assert_eq!(answer["field"], "id", "{wrong}");
    }
    assert_eq!(entries(&node, id).await.len(), 2);
    let answer = status(delete(&by_id(&second))).await;
    assert_eq!(answer, StatusCode::NO_CONTENT);
    assert_eq!(entries(&node, id).await.len(), 3);
}

#[tokio::test]
async fn an_upload_without_a_secret_is_deleted_by_the_token_in_its_answer() {
    let node = TestNode::start().await;
    let with_secret = upload_as(&node, Some(OWNER), None).await;
    assert_eq!(with_secret.get("deleteToken"), None);
    let upload = upload_as(&node, None, None).await;
    let (id, token) = (short_id(&upload), upload["deleteToken"].as_str().unwrap());
    let read: Value = node
        .get(&format!("/api/uploads/{id}"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(read.get("deleteToken"), None, "it is told once");
    let delete = || node.delete(&format!("/api/uploads/{id}"));
    assert_eq!(status(delete()).await, StatusCode::FORBIDDEN);
    assert_eq!(
        status(delete().bearer_auth(OWNER)).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status(delete().bearer_auth(token)).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(status(delete().bearer_auth(token)).await, StatusCode::GONE);
}

#[tokio::test]
async fn every_address_of_a_deleted_upload_says_that_it_is_gone() {
    let node = TestNode::start().await;
    let upload = upload_as(&node, Some(OWNER), None).await;
    let (id, long) = (short_id(&upload), upload["id"].as_str().unwrap());
    post(&node, id, "said").await;
    let addresses = [
        format!("/api/uploads/{id}"),
        format!("/api/uploads/{long}"),
        format!("/api/uploads/{id}/messages"),
        format!("/api/uploads/{long}/messages?after=0"),
        format!("/u/{id}"),
        format!("/u/{long}"),
        format!("/u/{id}/qr.svg"),
        format!("/i/{id}"),
        format!("/i/{id}?w=640"),
        format!("/i/{id}/preview.jpg"),
    ];
    let image = node.get(&format!("/i/{id}")).send().await.unwrap();
    let etag = image.headers()["etag"].clone();
    let page = node.get(&format!("/u/{id}")).send().await.unwrap();
    let page_etag = page.headers()["etag"].clone();
    let deleted = node
        .delete(&format!("/api/uploads/{id}"))
        .bearer_auth(OWNER);
    assert_eq!(status(deleted).await, StatusCode::NO_CONTENT);
    for address in &addresses {
        let response = node.get(address).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::GONE, "{address}");
        let body = response.text().await.unwrap();
        assert!(!body.contains("said"), "{address}: {body}");
    }
    let kept = node.get(&format!("/i/{id}")).header("if-none-match", &etag);
    assert_eq!(status(kept).await, StatusCode::GONE, "a cache notices");
    let kept = node
        .get(&format!("/u/{id}"))
        .header("if-none-match", &page_etag);
    assert_eq!(status(kept).await, StatusCode::GONE);
    let body = json!({"content": "late", "clientMessageID": "late"});
    let late = node.post_message(id.as_str(), &body).await;
    assert_eq!(late.status(), StatusCode::GONE);
    let form = node
        .post(&format!("/u/{id}/messages"))
        .form(&[("content", "late")]);
    assert_eq!(status(form).await, StatusCode::GONE);
    node.wait_until("the image is removed", async || node.blobs().await == 0)
        .await;
}

#[tokio::test]
async fn an_upload_expires_when_its_sender_wants_it() {
    let node = TestNode::start().await;
    let never: Upload = serde_json::from_value(upload_as(&node, None, Some("")).await).unwrap();
    assert_eq!(never.expires_at, None);
    let day: Upload = serde_json::from_value(upload_as(&node, None, Some("86400")).await).unwrap();
    let age = day.expires_at.unwrap().unix_millis() - day.created_at.unix_millis();
    assert_eq!(age, 86_400_000);
    for wrong in ["59", "31536001", "-60", "1e3", "soon", "99999999999999"] {
        let file = Part::bytes(pictures::png(20, 10)).file_name("a.png");
        // After the file.
        let form = Form::new().part("file", file).text("expiresIn", wrong);
        let response = node
            .post("/api/uploads")
            .multipart(form)
            .send()
            .await
            .unwrap();
        let problem = problem(response, 422, "bad-field").await;
        assert_eq!(problem["field"], "expiresIn", "{wrong}");
    }
}

#[tokio::test]
async fn the_longest_age_is_a_setting_and_the_default_then() {
    let node = TestNode::with(&[("TONESA_MAX_AGE_SECONDS", "3600")]).await;
    for (wanted, age) in [
        (None, 3_600),
        (Some(""), 3_600),
        (Some("60"), 60),
        (Some("3600"), 3_600),
    ] {
        let upload: Upload = serde_json::from_value(upload_as(&node, None, wanted).await).unwrap();
        let millis = upload.expires_at.unwrap().unix_millis() - upload.created_at.unix_millis();
        assert_eq!(millis, age * 1_000, "{wanted:?}");
    }
    let file = Part::bytes(pictures::png(20, 10)).file_name("a.png");
    let form = Form::new().text("expiresIn", "3601").part("file", file);
    let response = node
        .post("/api/uploads")
        .multipart(form)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn deletions_beyond_those_that_a_node_handles_at_once_are_refused() {
    let switches = Switches::default();
    let unlimited = [("TONESA_MESSAGES_PER_MINUTE", "0")];
    let node = TestNode::with_backends(&unlimited, |backends| switches.wrap(backends)).await;
    let mut messages = Vec::new();
    for _ in 0..=MAX_DELETIONS / MAX_DELETIONS_PER_UPLOAD {
        let upload = upload_as(&node, Some(OWNER), None).await;
        post(&node, short_id(&upload), "said").await;
        let id = upload["id"].as_str().unwrap();
        messages.push(format!("/api/uploads/{id}/messages/1"));
    }
    let delete = |message: &str| node.delete(message).bearer_auth(OWNER).send();
    let is_refused = async |message: &str| {
        let refused = delete(message).await.unwrap();
        assert!(refused.headers().contains_key("retry-after"), "{message}");
        problem(refused, 503, "unavailable").await;
    };
    switches.store.set(Mode::Blocked);
    let before = switches.store.calls();
    let (last, others) = messages.split_last().unwrap();
    let mut under_way = Vec::new();
    for message in others {
        for _ in 0..MAX_DELETIONS_PER_UPLOAD {
            under_way.push(tokio::spawn(delete(message)));
        }
        let begun = async || switches.store.calls() == before + under_way.len();
        node.wait_until("they are under way", begun).await;
        is_refused(message).await;
    }
    is_refused(last).await;
    let calls = switches.store.calls() - before;
    assert_eq!(calls, MAX_DELETIONS, "no more reach the store");
    switches.store.set(Mode::Working);
    let is_taken = async || delete(last).await.unwrap().status() == StatusCode::NO_CONTENT;
    node.wait_until("others are done", is_taken).await;
}
