//! What pages may do: what stands inline in them, and nothing else.

use crate::common::faults::{Mood, Switches};
use crate::common::{TestNode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{RequestBuilder, Response};
use sha2::{Digest, Sha256};

/// A page's policy and its text.
async fn page(request: RequestBuilder, status: u16) -> (String, String) {
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), status);
    let content_type = header(response.headers(), "content-type");
    assert_eq!(content_type, "text/html; charset=utf-8");
    let policy = header(response.headers(), "content-security-policy").to_owned();
    (policy, response.text().await.unwrap())
}

/// The sources that a policy names for one kind of thing.
fn sources<'a>(policy: &'a str, directive: &str) -> Vec<&'a str> {
    let directives = policy.split(';').map(str::trim);
    let sources = directives.filter_map(|one| one.strip_prefix(directive)?.strip_prefix(' '));
    sources.flat_map(str::split_whitespace).collect()
}

/// The hashes of what stands inline in these elements, as a policy writes them. Data is no script to it, nor is what is
/// fetched.
fn hashes(page: &str, element: &str) -> Vec<String> {
    let start = format!("<{element}");
    let elements = page.split(&start).skip(1);
    elements
        .filter_map(|element| {
            let (attributes, rest) = element.split_once('>').unwrap();
            let is_inline =
                !attributes.contains("src=") && !attributes.contains("application/json");
            let (text, _) = rest.split_once("</").unwrap();
            let hash = BASE64.encode(Sha256::digest(text));
            is_inline.then(|| format!("'sha256-{hash}'"))
        })
        .collect()
}

#[tokio::test]
async fn a_page_allows_what_stands_inline_in_it_and_nothing_else_inline() {
    let node = TestNode::start().await;
    let (silent, talked) = (node.uploaded().await, node.uploaded().await);
    node.say(&talked, &["</script><script>alert(1)</script>", "<style>"])
        .await;
    let upload_page = |short_id| node.get(&format!("/u/{short_id}"));
    let pages = [
        (page(node.get("/"), 200).await, 0),
        (page(upload_page(silent.short_id), 200).await, 1),
        (page(upload_page(talked.short_id), 200).await, 1),
    ];
    for ((policy, text), styles_inline) in pages {
        let (scripts, styles) = (hashes(&text, "script"), hashes(&text, "style"));
        assert_eq!((scripts.len(), styles.len()), (1, styles_inline), "{text}");
        let expected = ["'self'", &scripts[0], "'wasm-unsafe-eval'"];
        assert_eq!(sources(&policy, "script-src"), expected, "{policy}");
        let styles = styles.iter().map(String::as_str);
        let expected: Vec<_> = ["'self'"].into_iter().chain(styles).collect();
        assert_eq!(sources(&policy, "style-src"), expected, "{policy}");
        assert!(!text.contains(" style=\"") && !text.contains(" onclick="));
    }
}

#[tokio::test]
async fn a_page_that_only_says_something_has_no_scripts_and_may_have_none() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let refused = node.post("/api/uploads").header("accept", "text/html");
    let mut pages = vec![
        page(refused, 400).await,
        page(node.get("/nowhere"), 404).await,
    ];
    switches.store.set(Mood::Away);
    let path = format!("/u/{}", upload.short_id);
    pages.push(page(node.get(&path), 503).await);
    for (policy, text) in pages {
        assert!(
            !text.contains("<script") && !text.contains("<style"),
            "{text}"
        );
        assert_eq!(sources(&policy, "default-src"), ["'none'"]);
        assert_eq!(sources(&policy, "style-src"), ["'self'"]);
        assert!(sources(&policy, "script-src").is_empty(), "{policy}");
    }
}

#[tokio::test]
async fn a_page_says_what_else_it_may_do() {
    let node = TestNode::start().await;
    let response = node.get("/").send().await.unwrap();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(header(response.headers(), name), value, "{name}");
    }
    assert!(header(response.headers(), "permissions-policy").contains("geolocation=()"));
    let policy = header(response.headers(), "content-security-policy");
    for (directive, expected) in [
        ("default-src", &["'self'"][..]),
        ("img-src", &["'self'", "blob:", "data:"]),
        ("connect-src", &["'self'"]),
        ("base-uri", &["'none'"]),
        ("form-action", &["'self'"]),
        ("frame-ancestors", &["'none'"]),
        ("object-src", &["'none'"]),
    ] {
        assert_eq!(sources(policy, directive), expected, "{policy}");
    }
}

#[tokio::test]
async fn nothing_that_people_sent_is_sent_as_what_a_page_would_run() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    node.say(&upload, &["alert(1)"]).await;
    for (path, expected) in [
        (upload.content.url.clone(), "image/png"),
        (format!("/api/uploads/{}", upload.id), "application/json"),
        (
            format!("/api/uploads/{}/messages", upload.id),
            "application/json",
        ),
        (
            "/api/uploads/alert(1)".to_owned(),
            "application/problem+json",
        ),
        (
            format!("/u/{}", upload.short_id),
            "text/html; charset=utf-8",
        ),
    ] {
        let response: Response = node.get(&path).send().await.unwrap();
        let headers = response.headers();
        assert_eq!(header(headers, "content-type"), expected, "{path}");
        assert_eq!(header(headers, "x-content-type-options"), "nosniff");
    }
}
