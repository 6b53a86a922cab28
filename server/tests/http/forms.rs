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
            .contains("A message needs some text.")
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
    let page: app::model::LogPage = node.get(&list).send().await.unwrap().json().await.unwrap();
    assert_eq!(page.entries.len(), 1);
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

#[tokio::test]
async fn a_refused_form_comes_back_with_its_texts() {
    let node = TestNode::with(&[("TONESA_MESSAGES_PER_MINUTE", "3")]).await;
    let upload = node.uploaded().await;
    let path = format!("/u/{}/messages", upload.short_id);
    let send = async |author: &str, content: &str| {
        let form = node.post(&path).header("accept", "text/html");
        let form = form.form(&[("authorName", author), ("content", content)]);
        let response = form.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    };
    let hostile = "</textarea><script>alert(1)</script>";
    let escaped = "&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
    let too_long = format!("{hostile}{}", "x".repeat(2_000));
    let (status, page) = send("A\"da", &too_long).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains(&format!(">{escaped}xxx")), "{page}");
    assert!(page.contains("value=\"A&quot;da\""), "{page}");
    assert!(page.contains(&format!("action=\"{path}\"")), "{page}");
    let back = format!("href=\"/u/{}\"", upload.short_id);
    assert!(page.contains(&back), "{page}");
    let (status, page) = send(&"y".repeat(41), "kept").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains(">kept</textarea>"), "{page}");
    while send("Ada", "again").await.0 == StatusCode::SEE_OTHER {}
    let (status, page) = send("Ada", "one too many").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.contains(">one too many</textarea>"), "{page}");
    // Sent again it is one message, also if it was stored.
    let id = page.split("name=\"clientMessageID\" value=\"").nth(1);
    let id = id.and_then(|rest| rest.split('"').next()).unwrap();
    assert!(id.len() >= 16, "{id}");
}

#[tokio::test]
async fn browsers_that_ask_for_the_address_of_a_form_get_its_page() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let image = format!("/u/{}", upload.short_id);
    for (address, page) in [
        (format!("{image}/messages"), &*image),
        ("/api/uploads".into(), "/"),
    ] {
        let browser = node.get(&address).header("accept", "text/html,*/*;q=0.8");
        let response = browser.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{address}");
        assert_eq!(header(response.headers(), "location"), page);
        let response = node.get(&address).send().await.unwrap();
        assert_eq!(header(response.headers(), "allow"), "POST");
        problem(response, 405, "method-not-allowed").await;
        let delete = node.client.delete(node.url(&address));
        let delete = delete.header("accept", "text/html").send().await.unwrap();
        assert_eq!(delete.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
