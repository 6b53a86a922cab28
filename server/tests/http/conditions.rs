//! Conditional requests (RFC 9110, section 13), and headers for embedding and indexing.

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
async fn a_request_for_another_version_fails() {
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
async fn a_pages_tags_of_all_encodings_match() {
    let node = TestNode::start().await;
    let zipped = get(&node, "/", &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(zipped.headers(), "content-encoding"), "gzip");
    let wanted = [("if-match", header(zipped.headers(), "etag"))];
    assert_eq!(get(&node, "/", &wanted).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_image_may_be_embedded_anywhere_and_is_not_indexed() {
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
async fn everything_else_may_be_embedded_by_the_same_origin_only() {
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
