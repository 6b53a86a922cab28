//! The image's bytes (protocol.md: `GET /i/{shortID}`).

use crate::common::{TestNode, header, pictures, problem};
use reqwest::{Response, StatusCode};

async fn get(node: &TestNode, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = node.get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn an_image_is_served_with_the_headers_of_the_protocol() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let response = get(&node, &upload.content.url, &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    let file_name = format!("inline; filename=\"{}.png\"", upload.short_id);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", &upload.content.size.to_string()),
        (
            "cache-control",
            "public, max-age=31536000, s-maxage=60, immutable",
        ),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("content-disposition", &file_name),
    ] {
        assert_eq!(header(response.headers(), name), value, "{name}");
    }
    let etag = header(response.headers(), "etag");
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    assert_eq!(response.bytes().await.unwrap(), pictures::png(3, 2));
}

#[tokio::test]
async fn an_image_is_found_by_either_form_of_its_id() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let by_id = get(&node, &format!("/i/{}", upload.id), &[]).await;
    assert_eq!(by_id.status(), StatusCode::OK);
    for id in ["AAAAAAAA", "0123456789abcdef01234567", "..%2f..%2fetc", "a"] {
        problem(get(&node, &format!("/i/{id}"), &[]).await, 404, "not-found").await;
    }
}

#[tokio::test]
async fn head_returns_the_headers_without_the_bytes() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let url = node.url(&upload.content.url);
    let response = node.client.head(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        header(response.headers(), "content-length"),
        upload.content.size.to_string()
    );
    assert!(response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_matching_entity_tag_is_answered_not_modified() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let whole = get(&node, &upload.content.url, &[]).await;
    let etag = header(whole.headers(), "etag");
    for known in [etag, "*", &format!("\"x\", {etag}"), &format!("W/{etag}")] {
        let response = get(
            &node,
            &upload.content.url,
            &[("if-none-match", known), ("range", "bytes=0-1")],
        )
        .await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header(response.headers(), "etag"), etag);
        assert!(response.bytes().await.unwrap().is_empty());
    }
    let response = get(
        &node,
        &upload.content.url,
        &[("if-none-match", "\"other\"")],
    )
    .await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_single_range_is_served() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let bytes = pictures::png(3, 2);
    let size = bytes.len();
    for (range, start, end) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=10-19".to_owned(), 10, 20),
        ("bytes=10-".to_owned(), 10, size),
        ("bytes=-5".to_owned(), size - 5, size),
        ("bytes=-99999".to_owned(), 0, size),
        (format!("bytes={}-99999", size - 1), size - 1, size),
    ] {
        let response = get(&node, &upload.content.url, &[("range", &range)]).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        let content_range = format!("bytes {start}-{}/{size}", end - 1);
        assert_eq!(header(response.headers(), "content-range"), content_range);
        assert_eq!(
            header(response.headers(), "content-length"),
            (end - start).to_string()
        );
        assert_eq!(
            response.bytes().await.unwrap(),
            bytes[start..end],
            "{range}"
        );
    }
}

#[tokio::test]
async fn head_ignores_ranges() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for range in ["bytes=0-1", "bytes=99999-"] {
        let head = node.client.head(node.url(&upload.content.url));
        let response = head.header("range", range).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{range}");
        assert_eq!(header(response.headers(), "content-range"), "");
        assert_eq!(
            header(response.headers(), "content-length"),
            upload.content.size.to_string()
        );
    }
}

#[tokio::test]
async fn a_range_behind_the_end_cannot_be_satisfied() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let size = upload.content.size;
    for range in [
        format!("bytes={size}-"),
        "bytes=99999-100000".to_owned(),
        "bytes=-0".to_owned(),
    ] {
        let response = get(&node, &upload.content.url, &[("range", &range)]).await;
        assert_eq!(
            header(response.headers(), "content-range"),
            format!("bytes */{size}")
        );
        assert_eq!(header(response.headers(), "cache-control"), "no-store");
        problem(response, 416, "range-not-satisfiable").await;
    }
}

#[tokio::test]
async fn other_ranges_and_those_of_another_version_get_the_whole_image() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for headers in [
        [("range", "bytes=0-1,3-4"), ("accept", "*/*")],
        [("range", "lines=0-1"), ("accept", "*/*")],
        [("range", "nonsense"), ("accept", "*/*")],
        [("range", "bytes=0-1"), ("if-range", "\"other\"")],
        [
            ("range", "bytes=0-1"),
            ("if-range", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ],
        [("range", "bytes=0-1"), ("if-range", "nonsense")],
    ] {
        let response = get(&node, &upload.content.url, &headers).await;
        assert_eq!(response.status(), StatusCode::OK, "{headers:?}");
        assert_eq!(
            response.bytes().await.unwrap().len() as u64,
            upload.content.size
        );
    }
    let whole = get(&node, &upload.content.url, &[]).await;
    let same = [
        ("range", "bytes=0-1"),
        ("if-range", header(whole.headers(), "etag")),
    ];
    let response = get(&node, &upload.content.url, &same).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
}
