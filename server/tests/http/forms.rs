//! The forms of pages without scripts.

use crate::common::{TestNode, header, problem};
use reqwest::StatusCode;

#[tokio::test]
async fn the_form_of_a_page_without_scripts_posts_a_message() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/u/{}/messages", upload.short_id);
    let send = |fields: &[(&str, &str)]| {
        node.post(&path)
            .header("accept", "text/html")
            .form(fields)
            .send()
    };
    let response = send(&[
        ("authorName", "Ada"),
        ("content", "two\r\nlines"),
        ("other", "x"),
    ])
    .await
    .unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        header(response.headers(), "location"),
        format!("/u/{}", upload.short_id)
    );
    let response = send(&[("content", "anonymous words")]).await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let page = node
        .get(&format!("/u/{}", upload.short_id))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for text in ["two\nlines", "Ada", "anonymous words", "Anonymous"] {
        assert!(page.contains(text), "{text} is missing in {page}");
    }
    let empty = send(&[("content", "  ")]).await.unwrap();
    assert_eq!(empty.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        empty
            .text()
            .await
            .unwrap()
            .contains("a message needs some text")
    );
}

#[tokio::test]
async fn a_form_with_an_id_that_is_sent_twice_is_one_message() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/u/{}/messages", upload.short_id);
    for _ in 0..2 {
        let form = node
            .post(&path)
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=UTF-8",
            )
            .body("content=once&clientMessageID=form-1");
        let response = form.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
    }
    let list = format!("/api/uploads/{}/messages", upload.id);
    let page: app::model::MessagePage = node.get(&list).send().await.unwrap().json().await.unwrap();
    assert_eq!(page.messages.len(), 1);
    let wrong = [("content", "x"), ("clientMessageID", "no spaces")];
    let refused = node.post(&path).form(&wrong).send().await.unwrap();
    let refusal = problem(refused, 422, "bad-field").await;
    assert_eq!(refusal["field"], "clientMessageID");
}

#[tokio::test]
async fn the_form_refuses_what_the_api_refuses() {
    let node = TestNode::with(&[("TONESA_MESSAGES_PER_MINUTE", "7")]).await;
    let upload = node.uploaded().await;
    let form = |path: &str| node.post(path).form(&[("content", "hi")]);
    let path = format!("/u/{}/messages", upload.short_id);
    problem(
        form("/u/AAAAAAAA/messages").send().await.unwrap(),
        404,
        "not-found",
    )
    .await;
    problem(
        form("/u/nonsense!/messages").send().await.unwrap(),
        404,
        "not-found",
    )
    .await;
    let foreign = form(&path).header("origin", "https://evil.example");
    problem(foreign.send().await.unwrap(), 403, "foreign-origin").await;
    let json = node.post(&path).json(&"x");
    problem(json.send().await.unwrap(), 415, "unsupported-type").await;
    let large = node.post(&path).form(&[("content", "x".repeat(70_000))]);
    problem(large.send().await.unwrap(), 413, "too-large").await;
    let long = node.post(&path).form(&[("content", "x".repeat(2_001))]);
    problem(long.send().await.unwrap(), 422, "bad-field").await;
    let by_id = form(&format!("/u/{}/messages", upload.id))
        .send()
        .await
        .unwrap();
    assert_eq!(by_id.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        header(by_id.headers(), "location"),
        format!("/u/{}", upload.short_id)
    );
    while form(&path).send().await.unwrap().status() == StatusCode::SEE_OTHER {}
    problem(form(&path).send().await.unwrap(), 429, "too-many-requests").await;
}
