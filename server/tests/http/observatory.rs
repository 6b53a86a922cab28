//! The headers of pages by the rules of Mozilla's HTTP Observatory, which starts from 100 points and gives an A+ from
//! there. (`src/grader/charts.js` and `src/analyzer/tests` in github.com/mdn/mdn-http-observatory, of August 2026. Its
//! rule on redirections is about the proxy that terminates TLS.)

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;

use crate::common::faults::{Mode, Switches};
use crate::common::{TestNode, file_form, header, pictures};

/// A rule, and the points that it adds for these headers and this document.
type Rule = (&'static str, fn(&HeaderMap, &str) -> i32);

const RULES: [Rule; 10] = [
    ("content-security-policy", content_security_policy),
    ("cookies", cookies),
    ("cross-origin-resource-sharing", resource_sharing),
    ("referrer-policy", referrer_policy),
    ("strict-transport-security", strict_transport_security),
    ("subresource-integrity", subresource_integrity),
    ("x-content-type-options", content_type_options),
    ("x-frame-options", frame_options),
    ("cross-origin-resource-policy", resource_policy),
    ("cross-origin-opener-policy", opener_policy),
];

/// The points of every page. There would be 10 more for `Cross-Origin-Embedder-Policy`, and 5 more for hashes of the
/// scripts' files, which come from the same server as the page.
const EXPECTED: [i32; 10] = [10, 0, 0, 5, 0, 0, 0, 5, 10, 10];

/// The host of another page.
const ORIGIN: &str = "https://other.example";

fn directives(headers: &HeaderMap) -> BTreeMap<&str, Vec<&str>> {
    let policy = header(headers, "content-security-policy").split(';');
    policy
        .filter_map(|directive| {
            let mut words = directive.split_whitespace();
            Some((words.next()?, words.collect()))
        })
        .collect()
}

fn content_security_policy(headers: &HeaderMap, _: &str) -> i32 {
    let policy = directives(headers);
    if policy.is_empty() {
        return -25;
    }
    let anything = vec!["*"];
    let sources = |name| {
        let sources = policy.get(name).or_else(|| policy.get("default-src"));
        sources.unwrap_or(&anything)
    };
    let is_broad = |source: &&str| {
        ["ftp:", "http:", "https:", "*"].contains(source)
            || ["http://*", "https://*"].contains(source)
    };
    let is_inline = |source: &&str| ["'unsafe-inline'", "data:"].contains(source);
    let is_insecure = |source: &&str| source.starts_with("http:") || source.starts_with("ftp:");
    let (scripts, styles) = (sources("script-src"), sources("style-src"));
    let is_passive = |name: &&str| ["img-src", "media-src"].contains(name);
    let mut active = policy.iter().filter(|(name, _)| !is_passive(name));
    if scripts.iter().any(|it| is_broad(it) || is_inline(it))
        || sources("object-src").iter().any(is_broad)
        || active.any(|(_, sources)| sources.iter().any(is_insecure))
    {
        -20
    } else if scripts
        .iter()
        .chain(styles)
        .any(|it| *it == "'unsafe-eval'")
        || sources("img-src").iter().any(is_insecure)
    {
        -10
    } else if styles.iter().any(|it| is_broad(it) || is_inline(it)) {
        0
    } else if policy["default-src"] == ["'none'"] {
        10
    } else {
        5
    }
}

/// A cookie for scripts costs nothing, unless its name is that of a session.
fn cookies(headers: &HeaderMap, _: &str) -> i32 {
    let cookies = headers.get_all(SET_COOKIE).iter();
    let points = cookies.map(|cookie| {
        let cookie = cookie.to_str().unwrap().to_lowercase();
        let (pair, attributes) = cookie.split_once(';').unwrap_or((&cookie, ""));
        let name = pair.split('=').next().unwrap();
        let has = |attribute: &str| attributes.split(';').any(|it| it.trim() == attribute);
        let is_session = name.contains("login") || name.contains("sess");
        if is_session && !has("httponly") {
            -30
        } else if !has("secure") {
            -5
        } else if has("samesite=strict") || has("samesite=lax") {
            5
        } else {
            0
        }
    });
    points.min().unwrap_or(0)
}

fn resource_sharing(headers: &HeaderMap, _: &str) -> i32 {
    let is_reflected = header(headers, "access-control-allow-origin") == ORIGIN;
    let with_cookies = header(headers, "access-control-allow-credentials") == "true";
    if is_reflected && with_cookies { -50 } else { 0 }
}

fn referrer_policy(headers: &HeaderMap, _: &str) -> i32 {
    match header(headers, "referrer-policy") {
        "" => 0,
        "no-referrer" | "same-origin" | "strict-origin" | "strict-origin-when-cross-origin" => 5,
        _ => -5,
    }
}

fn strict_transport_security(headers: &HeaderMap, _: &str) -> i32 {
    let parameters = header(headers, "strict-transport-security").split(';');
    let mut ages = parameters.filter_map(|it| it.trim().strip_prefix("max-age="));
    match ages.next().map(|age| age.parse::<u32>().unwrap()) {
        None => -20,
        Some(..15_552_000) => -10,
        Some(_) => 0,
    }
}

/// Scripts that come from other servers need a hash.
fn subresource_integrity(_: &HeaderMap, html: &str) -> i32 {
    let scripts = html.split("<script").skip(1);
    let sources = scripts.filter_map(|script| {
        let (tag, _) = script.split_once('>')?;
        tag.split_once("src=\"").map(|(_, source)| source)
    });
    let is_own = |source: &str| source.starts_with('/') && !source.starts_with("//");
    if sources.into_iter().all(is_own) {
        0
    } else {
        -5
    }
}

fn content_type_options(headers: &HeaderMap, _: &str) -> i32 {
    if header(headers, "x-content-type-options") == "nosniff" {
        0
    } else {
        -5
    }
}

fn frame_options(headers: &HeaderMap, _: &str) -> i32 {
    if directives(headers).contains_key("frame-ancestors") {
        5
    } else {
        -20
    }
}

fn resource_policy(headers: &HeaderMap, _: &str) -> i32 {
    match header(headers, "cross-origin-resource-policy") {
        "same-origin" | "same-site" => 10,
        "" | "cross-origin" => 0,
        _ => -5,
    }
}

fn opener_policy(headers: &HeaderMap, _: &str) -> i32 {
    match header(headers, "cross-origin-opener-policy") {
        "same-origin" | "same-origin-allow-popups" | "noopener-allow-popups" => 10,
        "" | "unsafe-none" => 0,
        _ => -5,
    }
}

/// Asserts that the page has the expected points under every rule: an A+.
async fn assert_score(kind: &str, request: RequestBuilder, status: u16) {
    let request = request.header("x-forwarded-proto", "https");
    let response = request.header("accept", "text/html").send().await.unwrap();
    assert_eq!(response.status().as_u16(), status, "{kind}");
    let content_type = header(response.headers(), "content-type");
    assert_eq!(content_type, "text/html; charset=utf-8", "{kind}");
    let headers = response.headers().clone();
    let html = response.text().await.unwrap();
    for ((name, rule), expected) in RULES.iter().zip(EXPECTED) {
        assert_eq!(rule(&headers, &html), expected, "{kind}: {name}");
    }
}

#[tokio::test]
async fn every_page_gets_an_a_plus() {
    assert!(EXPECTED.iter().all(|points| *points >= 0));
    let switches = Switches::default();
    let trusting = [("TONESA_TRUSTED_PROXIES", "127.0.0.1")];
    let node = TestNode::with_backends(&trusting, |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let message = json!({"content": "a", "clientMessageID": "m", "at": {"x": 0.5, "y": 0.5}});
    let posted = node.post_message(upload.short_id.as_str(), &message).await;
    assert_eq!(posted.status(), StatusCode::CREATED);
    let page = format!("/u/{}", upload.short_id);
    let home = node.get("/").header("origin", ORIGIN);
    let refused = node.post(&format!("{page}/messages"));
    let empty = refused.form(&[("content", "")]);
    for (kind, request, status) in [
        ("home", home, 200),
        ("image", node.get(&page), 200),
        ("no page", node.get("/nowhere"), 404),
        ("no image", node.get("/u/AAAAAAAA"), 404),
        ("refused upload", node.post("/api/uploads"), 400),
        ("refused message", empty, 422),
    ] {
        assert_score(kind, request, status).await;
    }
    switches.store.set(Mode::Unavailable);
    assert_score("unavailable image", node.get(&page), 503).await;
}

#[tokio::test]
async fn the_cookie_for_scripts_costs_no_points() {
    let node = TestNode::with(&[("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let upload = node.post("/api/uploads").header("accept", "text/html");
    let upload = upload.header("x-forwarded-proto", "https");
    let upload = upload.multipart(file_form(pictures::png(3, 2)));
    let response = upload.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert!(response.headers().contains_key(SET_COOKIE));
    assert_eq!(cookies(response.headers(), ""), 5);
}
