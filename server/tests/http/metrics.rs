//! The node's metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use app::model::{Upload, UploadRef};
use reqwest::StatusCode;
use serde_json::json;

use crate::common::faults::{Mode, Switches};
use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, header};

async fn node() -> TestNode {
    TestNode::with(&[("METRICS_PORT", "0")]).await
}

/// Values by series, as they are written.
type Samples = BTreeMap<String, f64>;

async fn text(node: &TestNode) -> String {
    let url = format!("http://{}/metrics", node.metrics.unwrap());
    let response = node.client.get(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let content_type = header(response.headers(), "content-type");
    assert_eq!(
        content_type,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    response.text().await.unwrap()
}

async fn samples(node: &TestNode) -> Samples {
    parse(&text(node).await)
}

/// Parses the format strictly: a family's type, unit and help come before its samples, and no series occurs twice.
fn parse(text: &str) -> Samples {
    let mut samples = Samples::new();
    let body = text.strip_suffix("# EOF\n").expect("the text has an end");
    let families = families(text);
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
        let name = series.split('{').next().unwrap();
        assert!(series.ends_with('}') || series == name, "{line}");
        let family = families.iter().find(|family| {
            let suffix = name.strip_prefix(family.as_str());
            suffix.is_some_and(|suffix| {
                ["", "_total", "_bucket", "_sum", "_count", "_info"].contains(&suffix)
            })
        });
        assert!(family.is_some(), "{line} is of no family");
        let value = value.parse().expect("a sample is a number");
        assert_eq!(samples.insert(series.to_owned(), value), None, "{line}");
    }
    samples
}

fn families(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

/// Returns how much a series has grown.
fn growth(before: &Samples, after: &Samples, series: &str) -> f64 {
    let value = |samples: &Samples| samples.get(series).copied().unwrap_or_default();
    value(after) - value(before)
}

/// Waits until the series has grown by this much, and fails if it grows by more.
async fn has_grown(node: &TestNode, before: &Samples, series: &str, by: f64) {
    let start = Instant::now();
    loop {
        let grown = growth(before, &samples(node).await, series);
        if (grown - by).abs() < 1e-9 {
            return;
        }
        let message = format!("{series} grew by {grown}, not {by}");
        let in_time = start.elapsed() < Duration::from_secs(10);
        assert!(grown < by && in_time, "{message}");
        tokio::task::yield_now().await;
    }
}

/// Waits until the series has this value.
async fn becomes(node: &TestNode, series: &str, value: f64) {
    let start = Instant::now();
    loop {
        let found = samples(node).await.get(series).copied();
        if found == Some(value) {
            return;
        }
        let message = format!("{series} is {found:?}, not {value}");
        assert!(start.elapsed() < Duration::from_secs(10), "{message}");
        tokio::task::yield_now().await;
    }
}

async fn post_twice(node: &TestNode, upload: &Upload) {
    let body = json!({"content": "hello", "clientMessageID": "m1"});
    for status in [StatusCode::CREATED, StatusCode::OK] {
        let posted = node.post_message(upload.short_id.as_str(), &body).await;
        assert_eq!(posted.status(), status);
    }
}

#[tokio::test]
async fn uploads_and_messages_are_counted_in_the_metrics_of_requests_and_storage() {
    let node = node().await;
    let before = samples(&node).await;
    let upload = node.uploaded().await;
    post_twice(&node, &upload).await;
    let image = node.get(&upload.content.url).send().await.unwrap();
    image.bytes().await.unwrap();
    for (series, by) in [
        (
            r#"http_requests_total{route="/api/uploads",method="POST",status="201"}"#,
            1.0,
        ),
        (
            r#"http_request_duration_seconds_count{route="/i/{id}",method="GET"}"#,
            1.0,
        ),
        (
            r#"store_call_duration_seconds_count{operation="insert_upload",outcome="ok"}"#,
            1.0,
        ),
        (
            r#"store_call_duration_seconds_count{operation="append",outcome="ok"}"#,
            2.0,
        ),
        (
            r#"blob_call_duration_seconds_count{operation="put",outcome="ok"}"#,
            1.0,
        ),
        (
            r#"blob_call_duration_seconds_count{operation="read",outcome="ok"}"#,
            1.0,
        ),
        (r#"messages_appended_total{state="new"}"#, 1.0),
        (r#"messages_appended_total{state="known"}"#, 1.0),
        ("append_group_messages_sum", 2.0),
        (
            r#"broker_call_duration_seconds_count{operation="publish",outcome="ok"}"#,
            1.0,
        ),
    ] {
        has_grown(&node, &before, &format!("tonesa_{series}"), by).await;
    }
}

#[tokio::test]
async fn requests_for_unknown_uploads_are_counted_as_not_found() {
    let node = node().await;
    let before = samples(&node).await;
    let missing = node.get("/api/uploads/zzzzzzzz").send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    for series in [
        r#"http_requests_total{route="/api/uploads/{id}",method="GET",status="404"}"#,
        r#"store_call_duration_seconds_count{operation="upload",outcome="not_found"}"#,
    ] {
        has_grown(&node, &before, &format!("tonesa_{series}"), 1.0).await;
    }
}

#[tokio::test]
async fn sockets_are_counted_in_the_metrics_of_the_hub_and_the_broker() {
    let node = node().await;
    let upload = node.uploaded().await;
    let before = samples(&node).await;
    becomes(&node, "tonesa_sockets_open", 0.0).await;
    let mut socket = SocketClient::connect(&node.url("")).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    becomes(&node, "tonesa_sockets_open", 1.0).await;
    becomes(&node, "tonesa_topics_watched", 1.0).await;
    has_grown(&node, &before, r#"tonesa_resyncs_total{from="store"}"#, 1.0).await;
    let mut second = SocketClient::connect(&node.url("")).await;
    second.watch(UploadRef::Id(upload.id), None).await;
    node.post_texts(&upload, &["hello"]).await;
    socket.posted().await;
    second.posted().await;
    socket
        .touch(UploadRef::Id(upload.id), 0.5, 0.5, "tab")
        .await;
    for (series, by) in [
        (r#"resyncs_total{from="memory"}"#, 1.0),
        (
            r#"broker_call_duration_seconds_count{operation="subscribe",outcome="ok"}"#,
            1.0,
        ),
        (r#"broker_frames_received_total{class="touch"}"#, 1.0),
        (r#"frames_delivered_total{class="touch"}"#, 2.0),
    ] {
        has_grown(&node, &before, &format!("tonesa_{series}"), by).await;
    }
    let after = samples(&node).await;
    // Heads are sent too, so there may be more.
    let delivered = growth(
        &before,
        &after,
        r#"tonesa_frames_delivered_total{class="message"}"#,
    );
    assert!(delivered >= 2.0, "{delivered}");
    drop((socket, second));
    becomes(&node, "tonesa_sockets_open", 0.0).await;
    becomes(&node, "tonesa_topics_watched", 0.0).await;
    has_grown(
        &node,
        &before,
        r#"tonesa_sockets_closed_total{reason="gone"}"#,
        2.0,
    )
    .await;
}

#[tokio::test]
async fn a_socket_that_is_closed_since_its_address_was_blocked_is_counted() {
    let token = "an-admin-token-of-many-letters";
    let node = TestNode::with(&[("METRICS_PORT", "0"), ("TONESA_ADMIN_TOKEN", token)]).await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let before = samples(&node).await;
    let block = node.put("/api/admin/blocked-addresses/127.0.0.1?seconds=60");
    let blocked = block.bearer_auth(token).send().await.unwrap();
    assert_eq!(blocked.status(), StatusCode::NO_CONTENT);
    assert_eq!(socket.close_code().await, Some(1008));
    let series = r#"tonesa_sockets_closed_total{reason="blocked"}"#;
    has_grown(&node, &before, series, 1.0).await;
    becomes(&node, "tonesa_topics_watched", 0.0).await;
}

#[tokio::test]
async fn metrics_contain_the_version_the_start_and_the_backends() {
    let before = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let node = node().await;
    let samples = samples(&node).await;
    let version = env!("CARGO_PKG_VERSION");
    for series in [
        &format!(r#"tonesa_build_info{{version="{version}"}}"#),
        r#"tonesa_backends{backend="store",kind="sqlite"}"#,
        r#"tonesa_backends{backend="blobs",kind="folder"}"#,
        r#"tonesa_backends{backend="broker",kind="memory"}"#,
        "tonesa_broker_healthy",
    ] {
        assert_eq!(samples.get(series), Some(&1.0), "{series}");
    }
    let since = samples["tonesa_start_time_seconds"] - before;
    assert!((-1.0..10.0).contains(&since), "{since}");
}

#[tokio::test]
async fn labels_contain_neither_ids_nor_invented_values() {
    let node = node().await;
    let upload = node.uploaded().await;
    let (id, short_id) = (upload.id.to_string(), upload.short_id.to_string());
    for path in [
        format!("/u/{short_id}"),
        format!("/i/{short_id}"),
        format!("/api/uploads/{id}/messages?after=0&made-up-query"),
        "/made-up-path".to_owned(),
        "/assets/tonesa-1.css".to_owned(),
        "/robots.txt".to_owned(),
    ] {
        node.get(&path).send().await.unwrap();
    }
    let method = reqwest::Method::from_bytes(b"MADE-UP").unwrap();
    let request = node.client.request(method, node.url("/u/made-up-id"));
    request.send().await.unwrap();
    let text = text(&node).await;
    for secret in [
        &id,
        &short_id,
        "made-up",
        "MADE-UP",
        "127.0.0.1",
        "tonesa-1",
    ] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let samples = parse(&text);
    for (route, method, status, count) in [
        ("(none)", "GET", 404, 1.0),
        ("(file)", "GET", 200, 2.0),
        ("/u/{id}", "other", 405, 1.0),
    ] {
        let labels = format!(r#"route="{route}",method="{method}",status="{status}""#);
        let series = format!("tonesa_http_requests_total{{{labels}}}");
        assert_eq!(samples.get(&series), Some(&count), "{series}");
    }
}

#[tokio::test]
async fn metrics_are_served_at_their_own_port_only() {
    let node = node().await;
    let public = node.get("/metrics").send().await.unwrap();
    assert_eq!(public.status(), StatusCode::NOT_FOUND);
    for path in ["/", "/livez", "/api/uploads"] {
        let url = format!("http://{}{path}", node.metrics.unwrap());
        let response = node.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(TestNode::start().await.metrics, None);
}

#[tokio::test]
async fn metrics_end_with_the_node() {
    let node = node().await;
    let address = node.metrics.unwrap();
    let kept_alive = node.client.clone();
    let url = format!("http://{address}/metrics");
    kept_alive.get(&url).send().await.unwrap();
    node.stop().await;
    TcpListener::bind(address).expect("the port is free again");
}

#[tokio::test]
async fn metrics_are_served_while_backends_hang() {
    let switches = Switches::default();
    let variables = [("METRICS_PORT", "0")];
    let node = TestNode::with_backends(&variables, |backends| switches.wrap(backends)).await;
    for switch in [&switches.store, &switches.blobs, &switches.broker] {
        switch.set(Mode::Hanging);
    }
    let readiness = node.get("/readyz").send().await.unwrap();
    assert_eq!(readiness.status(), StatusCode::SERVICE_UNAVAILABLE);
    let series = r#"tonesa_http_requests_total{route="/readyz",method="GET",status="503"}"#;
    assert_eq!(samples(&node).await.get(series), Some(&1.0));
}

/// Finds every metric name in a text.
fn named(text: &str) -> impl Iterator<Item = String> {
    let pieces = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names = pieces.filter(|piece| piece.starts_with("tonesa_"));
    names.map(str::to_owned)
}

/// Returns the family of a sample.
fn family(name: &str) -> String {
    let suffixes = ["_total", "_info", "_bucket", "_sum", "_count"];
    let family = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
    family.unwrap_or(name).to_owned()
}

#[tokio::test]
async fn the_operations_page_lists_every_metric_and_alerts_use_no_other() {
    let node = node().await;
    let upload = node.uploaded().await;
    let preview = format!("{}/preview.jpg", upload.content.url);
    assert_eq!(node.get(&preview).send().await.unwrap().status(), 200);
    let served = families(&text(&node).await);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let rules = root.join("deploy/kubernetes/monitoring/prometheusrule.yaml");
    let rules = fs::read_to_string(rules).unwrap();
    let table = page.lines().filter(|line| line.starts_with("| `tonesa_"));
    let listed = table.filter_map(|row| row.split('`').nth(1));
    let listed: BTreeSet<_> = listed
        .filter(|name| !name.contains(' '))
        .map(family)
        .collect();
    assert_eq!(served, listed);
    for text in [page, rules] {
        let unknown: Vec<_> = named(&text)
            .filter(|name| !served.contains(&family(name)))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?} are not served");
    }
}
