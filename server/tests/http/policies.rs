//! Security headers of pages.

use crate::common::faults::{Mode, Switches};
use crate::common::{TestNode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

/// Returns a page's policy and its text.
async fn page(request: RequestBuilder, status: u16) -> (String, String) {
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), status);
    let content_type = header(response.headers(), "content-type");
    assert_eq!(content_type, "text/html; charset=utf-8");
    let policy = header(response.headers(), "content-security-policy").to_owned();
    (policy, response.text().await.unwrap())
}

/// Returns the sources of a policy's directive.
fn sources<'a>(policy: &'a str, directive: &str) -> Vec<&'a str> {
    let directives = policy.split(';').map(str::trim);
    let sources = directives.filter_map(|one| one.strip_prefix(directive)?.strip_prefix(' '));
    sources.flat_map(str::split_whitespace).collect()
}

/// Returns the hashes of these elements' inline content, as a policy writes them, without JSON data.
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

fn style_attributes(page: &str) -> Vec<String> {
    let attributes = page.split(" style=\"").skip(1);
    attributes
        .map(|rest| {
            let text = rest.split_once('"').unwrap().0;
            format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)))
        })
        .collect()
}

#[tokio::test]
async fn a_page_allows_exactly_its_inline_content() {
    let node = TestNode::start().await;
    let (silent, talked) = (node.uploaded().await, node.uploaded().await);
    // The first text is also the title.
    let texts = [
        "</title><script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "<style>",
    ];
    node.post_texts(&talked, &texts).await;
    let pinned = node.uploaded().await;
    let message = json!({"content": "here", "clientMessageID": "m", "at": {"x": 0.5, "y": 0.5}});
    let posted = node.post_message(pinned.short_id.as_str(), &message).await;
    assert_eq!(posted.status(), StatusCode::CREATED);
    let upload_page = |short_id| node.get(&format!("/u/{short_id}"));
    let pages = [
        (page(node.get("/"), 200).await, 0),
        (page(upload_page(silent.short_id), 200).await, 1),
        (page(upload_page(talked.short_id), 200).await, 1),
        // The style sheet with the places of pins.
        (page(upload_page(pinned.short_id), 200).await, 2),
    ];
    for ((policy, text), styles_inline) in pages {
        // The script that starts the app, and those with Leptos' serialized resources.
        let scripts = hashes(&text, "script");
        let expected: Vec<&str> = ["'self'"]
            .into_iter()
            .chain(scripts.iter().map(String::as_str))
            .chain(["'wasm-unsafe-eval'"])
            .collect();
        assert_eq!(sources(&policy, "script-src"), expected, "{policy}");
        let mut styles = style_attributes(&text);
        styles.extend(hashes(&text, "style"));
        assert_eq!(styles.len(), styles_inline, "{text}");
        let mut expected = vec!["'self'"];
        if styles_inline > 0 {
            expected.push("'unsafe-hashes'");
        }
        expected.extend(styles.iter().map(String::as_str));
        assert_eq!(sources(&policy, "style-src"), expected, "{policy}");
        assert!(!text.contains(" onclick=") && !text.contains("nonce"));
        assert!(!text.contains("alert(1)</script>"), "{text}");
    }
}

#[tokio::test]
async fn a_refused_form_is_answered_without_scripts() {
    let node = TestNode::start().await;
    let refused = node.post("/api/uploads").header("accept", "text/html");
    let (policy, text) = page(refused, 400).await;
    assert!(
        !text.contains("<script") && !text.contains("<style"),
        "{text}"
    );
    assert_eq!(sources(&policy, "default-src"), ["'none'"]);
    assert_eq!(sources(&policy, "style-src"), ["'self'"]);
    assert!(sources(&policy, "script-src").is_empty(), "{policy}");
}

#[tokio::test]
async fn error_pages_have_an_error_status_and_are_not_indexed() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let mut pages = vec![
        page(node.get("/nowhere"), 404).await,
        page(node.get("/u/AAAAAAAA"), 404).await,
        page(node.get("/u/AAAAAAAA/more"), 404).await,
    ];
    switches.store.set(Mode::Unavailable);
    let path = format!("/u/{}", upload.short_id);
    pages.push(page(node.get(&path), 503).await);
    for (_, text) in pages {
        assert!(
            text.contains(r#"<meta name="robots" content="noindex">"#),
            "{text}"
        );
        assert!(!text.contains("canonical"), "{text}");
    }
}

#[tokio::test]
async fn pages_have_the_other_security_headers() {
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
        ("default-src", &["'none'"][..]),
        ("img-src", &["'self'", "blob:", "data:"]),
        ("font-src", &["'self'"]),
        ("connect-src", &["'self'"]),
        ("manifest-src", &["'self'"]),
        ("base-uri", &["'none'"]),
        ("form-action", &["'self'"]),
        ("frame-ancestors", &["'none'"]),
    ] {
        assert_eq!(sources(policy, directive), expected, "{policy}");
    }
}

#[tokio::test]
async fn user_content_is_never_served_as_a_script() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    node.post_texts(&upload, &["alert(1)"]).await;
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

#[tokio::test]
async fn every_response_to_a_request_by_https_asks_for_https() {
    let node = TestNode::with(&[("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let wary = TestNode::start().await;
    let upload = node.uploaded().await;
    let read = |node: &TestNode, path: &str, scheme: &'static str| {
        let request = node.get(path).header("x-forwarded-proto", scheme);
        async move { request.send().await.unwrap() }
    };
    for (path, status) in [
        ("/".to_owned(), 200),
        (format!("/u/{}", upload.short_id), 200),
        (format!("/u/{}", upload.id), 308),
        ("/nowhere".to_owned(), 404),
        (upload.content.url.clone(), 200),
        (format!("/api/uploads/{}", upload.id), 200),
        ("/api/uploads/AAAAAAAA".to_owned(), 404),
        ("/api/uploads".to_owned(), 405),
        ("/api/socket".to_owned(), 400),
        ("/assets/tonesa-1.css".to_owned(), 200),
        ("/livez".to_owned(), 200),
    ] {
        let response = read(&node, &path, "https").await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        let policy = header(response.headers(), "strict-transport-security");
        assert_eq!(policy, "max-age=31536000", "{path}");
        // It must not be sent without https, nor because just anyone says that there is.
        for response in [
            read(&node, &path, "http").await,
            node.get(&path).send().await.unwrap(),
            read(&wary, &path, "https").await,
        ] {
            let policy = header(response.headers(), "strict-transport-security");
            assert_eq!(policy, "", "{path}");
        }
    }
}

#[tokio::test]
async fn search_engines_may_list_uploads_only_if_the_setting_allows_it() {
    for (setting, noindex) in [("0", true), ("1", false)] {
        let node = TestNode::with(&[("TONESA_INDEX", setting)]).await;
        let upload = node.uploaded().await;
        let page = format!("/u/{}", upload.short_id);
        let image = &upload.content.url;
        for path in [
            image,
            &format!("{image}?w=640"),
            &format!("{image}/preview.jpg"),
            &format!("{page}/qr.svg"),
        ] {
            let response = node.get(path).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let expected = if noindex { "noindex" } else { "" };
            let robots = header(response.headers(), "x-robots-tag");
            assert_eq!(robots, expected, "{path}");
        }
        let meta = r#"<meta name="robots" content="noindex">"#;
        let (_, text) = self::page(node.get(&page), 200).await;
        assert_eq!(text.contains(meta), noindex, "{text}");
        // What programs show of the link depends on neither.
        assert!(text.contains("og:image"), "{text}");
        let (_, home) = self::page(node.get("/"), 200).await;
        assert!(!home.contains("noindex"), "{home}");
        let (_, missing) = self::page(node.get("/nowhere"), 404).await;
        assert!(missing.contains(meta), "{missing}");
    }
}
