//! Reading and posting messages (protocol.md: `/api/uploads/{id}/messages`).

use crate::common::{TestNode, problem};
use app::model::{LogPage, Message};
use reqwest::StatusCode;
use serde_json::{Value, json};

async fn page(node: &TestNode, id: &str, query: &str) -> LogPage {
    let path = format!("/api/uploads/{id}/messages{query}");
    let response = node.get(&path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.json().await.unwrap()
}

fn seqs(page: &LogPage) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.seq().get()).collect()
}

#[tokio::test]
async fn a_message_is_created_once() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let body = json!({"authorName": " Ada ", "content": "look\r\nhere ", "clientMessageID": "m-1", "mode": "new"});
    let created = node.post_message(upload.short_id.as_str(), &body).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let created: Value = created.json().await.unwrap();
    assert_eq!(created["authorName"], "Ada");
    assert_eq!(created["content"], "look\nhere");
    assert_eq!(created["clientMessageID"], "m-1");
    assert_eq!(created["uploadID"], upload.id.to_string());
    assert_eq!(created["seq"], 1);

    let other_text = json!({"content": "another text", "clientMessageID": "m-1"});
    let known = node.post_message(&upload.id.to_string(), &other_text).await;
    assert_eq!(known.status(), StatusCode::OK);
    assert_eq!(known.json::<Value>().await.unwrap(), created);
    assert_eq!(
        page(&node, upload.short_id.as_str(), "").await.head.get(),
        1
    );
}

#[tokio::test]
async fn an_empty_or_missing_alias_is_anonymous() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for (number, name) in [json!(""), json!("  \u{200b} "), Value::Null]
        .into_iter()
        .enumerate()
    {
        let id = format!("m{number}");
        let body = json!({"authorName": name, "content": "hi", "clientMessageID": id});
        let message: Message = node
            .post_message(upload.short_id.as_str(), &body)
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(message.author_name.as_str(), "Anonymous");
    }
    let body = json!({"content": "hi", "clientMessageID": "none"});
    let response = node.post_message(upload.short_id.as_str(), &body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_reader_gets_the_messages_that_it_asks_for() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let texts: Vec<String> = (1..=60).map(|number| format!("message {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let posted = node.post_texts(&upload, &texts).await;
    let since = posted[57].created_at;
    let later = posted.iter().filter(|message| message.created_at > since);
    let later: Vec<u64> = later.map(|message| message.seq.get()).collect();
    for id in [upload.id.to_string(), upload.short_id.to_string()] {
        for (query, expected) in [
            (String::new(), (11..=60).collect()),
            ("?limit=200".to_owned(), (1..=60).collect()),
            ("?limit=2".to_owned(), vec![59, 60]),
            ("?after=0".to_owned(), (1..=50).collect()),
            ("?after=58&limit=200".to_owned(), vec![59, 60]),
            ("?after=60".to_owned(), vec![]),
            ("?after=5&limit=2".to_owned(), vec![6, 7]),
            ("?before=4".to_owned(), vec![1, 2, 3]),
            ("?before=40&limit=3".to_owned(), vec![37, 38, 39]),
            ("?before=1".to_owned(), vec![]),
            (format!("?since={since}"), later.clone()),
            ("?since=1999-12-31T23:59:59Z&limit=1".to_owned(), vec![1]),
            ("?since=2999-01-01T00:00:00%2B02:00".to_owned(), vec![]),
            ("?after=1&limit=1&colour=red".to_owned(), vec![2]),
        ] {
            let page = page(&node, &id, &query).await;
            assert_eq!(seqs(&page), expected, "{query}");
            assert_eq!(page.head.get(), 60);
        }
    }
}

#[tokio::test]
async fn an_upload_without_messages_has_an_empty_page() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/api/uploads/{}/messages", upload.short_id);
    let response = node.get(&path).send().await.unwrap();
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({"messages": [], "head": 0})
    );
}

#[tokio::test]
async fn an_invalid_query_is_refused_naming_the_field() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("after=-1", "after"),
        ("before=x", "before"),
        ("since=yesterday", "since"),
        ("after=1&before=2", "before"),
        ("since=2026-01-01T00:00:00Z&after=1", "after"),
    ] {
        let path = format!("/api/uploads/{}/messages?{query}", upload.short_id);
        let refused = problem(node.get(&path).send().await.unwrap(), 422, "bad-field").await;
        assert_eq!(refused["field"], field, "{query}");
    }
}

#[tokio::test]
async fn the_messages_of_an_unknown_upload_are_not_found() {
    let node = TestNode::start().await;
    let body = json!({"content": "hi", "clientMessageID": "m1"});
    for id in ["AAAAAAAA", "0123456789abcdef01234567", "nonsense!"] {
        let path = format!("/api/uploads/{id}/messages");
        problem(node.get(&path).send().await.unwrap(), 404, "not-found").await;
        problem(node.post_message(id, &body).await, 404, "not-found").await;
    }
}

#[tokio::test]
async fn a_field_out_of_bounds_is_refused_naming_it() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let long = |length| "x".repeat(length);
    for (body, field) in [
        (json!({"content": "", "clientMessageID": "m"}), "content"),
        (
            json!({"content": " \n\t", "clientMessageID": "m"}),
            "content",
        ),
        (
            json!({"content": long(2001), "clientMessageID": "m"}),
            "content",
        ),
        (json!({"content": 7, "clientMessageID": "m"}), "content"),
        (json!({"clientMessageID": "m"}), "content"),
        (
            json!({"authorName": long(41), "content": "a", "clientMessageID": "m"}),
            "authorName",
        ),
        (
            json!({"authorName": "a\nb", "content": "a", "clientMessageID": "m"}),
            "authorName",
        ),
        (
            json!({"authorName": ["a"], "content": "a", "clientMessageID": "m"}),
            "authorName",
        ),
        (json!({"content": "a"}), "clientMessageID"),
        (
            json!({"content": "a", "clientMessageID": ""}),
            "clientMessageID",
        ),
        (
            json!({"content": "a", "clientMessageID": "a b"}),
            "clientMessageID",
        ),
        (
            json!({"content": "a", "clientMessageID": long(65)}),
            "clientMessageID",
        ),
    ] {
        let response = node.post_message(upload.short_id.as_str(), &body).await;
        let refused = problem(response, 422, "bad-field").await;
        assert_eq!(refused["field"], field, "{body}");
    }
}

#[tokio::test]
async fn the_longest_message_is_accepted_with_any_escaping() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let content = "\\ud83d\\ude00".repeat(2000);
    let body = format!(
        r#"{{"authorName":"{}","content":"{content}","clientMessageID":"m"}}"#,
        "é".repeat(40)
    );
    let path = format!("/api/uploads/{}/messages", upload.short_id);
    let request = node
        .post(&path)
        .header("content-type", "application/json; charset=utf-8");
    let response = request.body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let message: Message = response.json().await.unwrap();
    assert_eq!(message.content.as_str(), "😀".repeat(2000));
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/api/uploads/{}/messages", upload.short_id);
    let json = r#"{"content":"a","clientMessageID":"m"}"#;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "nonsense",
    ] {
        let request = node
            .post(&path)
            .header("content-type", content_type)
            .body(json);
        problem(request.send().await.unwrap(), 415, "unsupported-type").await;
    }
    problem(
        node.post(&path).body(json).send().await.unwrap(),
        415,
        "unsupported-type",
    )
    .await;
    let deep = "[".repeat(50_000);
    for broken in [
        "",
        "{",
        "nonsense",
        "[]",
        "7",
        "{\"content\":\"\u{1}\"}",
        &deep,
    ] {
        let request = node.post(&path).header("content-type", "application/json");
        problem(
            request.body(broken.to_owned()).send().await.unwrap(),
            400,
            "malformed",
        )
        .await;
    }
    let not_utf8 = node
        .post(&path)
        .header("content-type", "application/json")
        .body(vec![b'"', 0xff, b'"']);
    problem(not_utf8.send().await.unwrap(), 400, "malformed").await;
}

#[tokio::test]
async fn a_body_over_64_kib_is_too_large() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/api/uploads/{}/messages", upload.short_id);
    for length in [64 * 1024 + 1, 5_000_000] {
        let request = node.post(&path).header("content-type", "application/json");
        let response = request.body(" ".repeat(length)).send().await.unwrap();
        problem(response, 413, "too-large").await;
    }
}
