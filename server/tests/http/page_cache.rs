//! Rendered pages are cached without visible effects.

use std::io::Read;

use crate::common::faults::{Mode, Switches};
use crate::common::{TestNode, header};
use app::model::Upload;
use flate2::read::GzDecoder;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use server::app::backends::Backends;

async fn get(node: &TestNode, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = node.get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn text(node: &TestNode, path: &str) -> String {
    get(node, path, &[]).await.text().await.unwrap()
}

fn path_of(upload: &Upload) -> String {
    format!("/u/{}", upload.short_id)
}

/// Returns the headers that two answers to the same request have in common.
fn lasting(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for passing in ["date", "x-request-id"] {
        assert!(headers.remove(passing).is_some(), "{passing}");
    }
    headers
}

#[tokio::test]
async fn an_unchanged_page_is_the_same_to_the_byte() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    node.post_texts(&upload, &["first"]).await;
    for path in ["/", &path_of(&upload), "/u/AAAAAAAA"] {
        let (first, second) = (get(&node, path, &[]).await, get(&node, path, &[]).await);
        assert_eq!(lasting(first.headers()), lasting(second.headers()));
        assert_eq!(first.status(), second.status());
        let (first, second) = (first.bytes().await.unwrap(), second.bytes().await.unwrap());
        assert_eq!(first, second);
    }
}

#[tokio::test]
async fn a_message_is_on_the_page_as_soon_as_it_is_acknowledged() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = path_of(&upload);
    assert!(!text(&node, &path).await.contains("number 1"));
    for number in 1..=60 {
        let posted = format!("number {number}.");
        node.post_texts(&upload, &[&posted]).await;
        let page = text(&node, &path).await;
        assert!(page.contains(&posted), "{posted} is missing in {page}");
    }
    assert!(text(&node, &path).await.contains("60 messages so far"));
}

#[tokio::test]
async fn a_message_posted_through_another_node_is_on_the_page() {
    let node = TestNode::start().await;
    let store = node.node.store.clone();
    let other = TestNode::with_backends(&[], |own| Backends { store, ..own }).await;
    let upload = node.uploaded().await;
    let path = path_of(&upload);
    assert!(!text(&node, &path).await.contains("from elsewhere"));
    other.post_texts(&upload, &["from elsewhere"]).await;
    assert!(text(&node, &path).await.contains("from elsewhere"));
}

#[tokio::test]
async fn each_host_gets_its_own_links() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = path_of(&upload);
    for path in [&path, "/"] {
        for own in ["one.example", "two.example", "one.example"] {
            let page = get(&node, path, &[("host", own)]).await;
            let page = page.text().await.unwrap();
            let canonical = format!("<link rel=\"canonical\" href=\"http://{own}{path}\">");
            assert!(page.contains(&canonical), "{page}");
            let hosts = page.matches(".example").count();
            assert_eq!(page.matches(own).count(), hosts, "{page}");
        }
    }
}

#[tokio::test]
async fn an_error_page_is_the_view_that_the_apps_router_shows_at_its_address() {
    let host = [("host", "tonesa.example")];
    let page = async |node: &TestNode, path| get(node, path, &host).await.text().await.unwrap();
    let paths = [
        "/nowhere", "//", "/u", "/u/", "/u//", "/u/a/b", "/u/bad//", "/ubad", "//u/bad",
        "/%75/bad", "/u/bad", "/u/bad/", "/u/%2f", "/u/%ff/",
    ];
    let mut rendered = Vec::new();
    for path in paths {
        let node = TestNode::start().await;
        rendered.push((path, page(&node, path).await));
    }
    let node = TestNode::start().await;
    for (path, rendered) in &rendered {
        assert_eq!(page(&node, path).await, *rendered, "{path}");
    }
    let node = TestNode::start().await;
    for (path, rendered) in rendered.iter().rev() {
        assert_eq!(page(&node, path).await, *rendered, "{path}");
    }
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = path_of(&upload);
    for encoding in ["identity", "gzip"] {
        let accepting = ("accept-encoding", encoding);
        let first = get(&node, &path, &[accepting]).await;
        let etag = header(first.headers(), "etag").to_owned();
        for known in [&etag, "*", &format!("\"other\", W/{etag}")] {
            let again = get(&node, &path, &[accepting, ("if-none-match", known)]).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            for name in ["etag", "cache-control", "vary", "content-security-policy"] {
                let expected = header(first.headers(), name);
                assert_eq!(header(again.headers(), name), expected, "{name}");
            }
            assert!(again.bytes().await.unwrap().is_empty());
        }
        node.post_texts(&upload, &["news"]).await;
        let again = get(&node, &path, &[accepting, ("if-none-match", &etag)]).await;
        assert_eq!(again.status(), StatusCode::OK);
        assert_ne!(header(again.headers(), "etag"), etag);
    }
}

#[tokio::test]
async fn an_error_page_is_always_sent() {
    let node = TestNode::start().await;
    let response = get(&node, "/u/AAAAAAAA", &[("if-none-match", "*")]).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(header(response.headers(), "etag"), "");
    assert!(!response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_compressed_page_is_the_same_with_another_tag() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for path in ["/", &path_of(&upload), "/u/AAAAAAAA"] {
        let plain = get(&node, path, &[]).await;
        let gzip = get(&node, path, &[("accept-encoding", "gzip, deflate, br")]).await;
        for (response, encoding) in [(&plain, ""), (&gzip, "gzip")] {
            let headers = response.headers();
            assert_eq!(header(headers, "content-encoding"), encoding, "{path}");
            assert_eq!(
                header(headers, "vary"),
                "accept-encoding, accept-language",
                "{path}"
            );
            let length: u64 = header(headers, "content-length").parse().unwrap();
            assert_eq!(response.content_length(), Some(length), "{path}");
        }
        let tags = [&plain, &gzip].map(|response| response.headers().get("etag").cloned());
        assert!(tags == [None, None] || tags[0] != tags[1], "{tags:?}");
        let mut unpacked = String::new();
        let gzip = gzip.bytes().await.unwrap();
        GzDecoder::new(&gzip[..])
            .read_to_string(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, plain.text().await.unwrap());
    }
}

#[tokio::test]
async fn head_returns_the_length_of_the_page() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = path_of(&upload);
    let head = node.client.head(node.url(&path)).send().await.unwrap();
    let page = get(&node, &path, &[]).await;
    assert_eq!(lasting(head.headers()), lasting(page.headers()));
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cached_page_is_not_served_while_the_store_is_unavailable() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let path = path_of(&upload);
    let before = text(&node, &path).await;
    for mode in [Mode::Unavailable, Mode::Hanging] {
        switches.store.set(mode);
        let response = get(&node, &path, &[]).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!header(response.headers(), "retry-after").is_empty());
        assert_eq!(header(response.headers(), "cache-control"), "no-cache");
        let page = response.text().await.unwrap();
        assert!(page.contains("cannot be reached right now"), "{page}");
        switches.store.set(Mode::Working);
        let response = get(&node, &path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(response.headers(), "retry-after"), "");
        assert_eq!(response.text().await.unwrap(), before);
    }
}

#[tokio::test]
async fn a_cached_page_costs_one_read_of_the_store() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let path = path_of(&upload);
    text(&node, &path).await;
    let before = switches.store.calls();
    text(&node, &path).await;
    assert_eq!(switches.store.calls() - before, 1);
}
