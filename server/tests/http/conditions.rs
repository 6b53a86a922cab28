//! Conditions on versions (RFC 9110, section 13), and what an answer allows others to do with it.

use reqwest::{Response, StatusCode};

use crate::common::{TestNode, header, problem};

async fn get(node: &TestNode, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = node.get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn another_version_than_there_is_is_refused() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let page = format!("/u/{}", upload.short_id);
    for path in [&upload.content.url, &page, "/", "/assets/tonesa-1.css"] {
        let whole = get(&node, path, &[]).await;
        let etag = header(whole.headers(), "etag");
        for wanted in [etag, "*", &format!("\"x\", {etag}")] {
            let response = get(&node, path, &[("if-match", wanted)]).await;
            assert_eq!(response.status(), StatusCode::OK, "{path} {wanted}");
        }
        for wanted in ["\"x\"", &format!("W/{etag}"), "nonsense"] {
            let headers = [("if-match", wanted), ("if-none-match", etag)];
            problem(get(&node, path, &headers).await, 412, "precondition-failed").await;
        }
        let both = [("if-match", etag), ("if-none-match", etag)];
        let known = get(&node, path, &both).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED, "{path}");
    }
    let missing = get(&node, "/i/AAAAAAAA", &[("if-match", "\"x\"")]).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_of_either_encoding_is_the_version_that_is_there() {
    let node = TestNode::start().await;
    let zipped = get(&node, "/", &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(zipped.headers(), "content-encoding"), "gzip");
    let wanted = [("if-match", header(zipped.headers(), "etag"))];
    assert_eq!(get(&node, "/", &wanted).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_image_is_shown_by_whoever_has_its_link_and_listed_by_no_search_engine() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let whole = get(&node, &upload.content.url, &[]).await;
    let etag = header(whole.headers(), "etag");
    let known = get(&node, &upload.content.url, &[("if-none-match", etag)]).await;
    let part = get(&node, &upload.content.url, &[("range", "bytes=0-1")]).await;
    for response in [&whole, &known, &part] {
        let headers = response.headers();
        assert_eq!(header(headers, "x-robots-tag"), "noindex");
        let policy = header(headers, "cross-origin-resource-policy");
        assert_eq!(policy, "cross-origin");
    }
}

#[tokio::test]
async fn everything_else_is_for_pages_of_the_same_origin() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for path in [
        "/",
        &format!("/u/{}", upload.short_id),
        &format!("/api/uploads/{}", upload.id),
        &format!("/api/uploads/{}/messages", upload.id),
        "/assets/tonesa-1.js",
        "/nowhere",
        "/livez",
    ] {
        let response = get(&node, path, &[]).await;
        let policy = header(response.headers(), "cross-origin-resource-policy");
        assert_eq!(policy, "same-origin", "{path}");
    }
}
