//! Images in a bucket: served by the node, and by redirects to the S3 server.

use std::path::Path;
use std::time::{Duration, Instant};

use app::model::Upload;
use futures::TryStreamExt;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use server::blob::Derived;
use testbed::{Node, S3};

use crate::common::{TestNode, file_form, header, pictures, problem, site};

const MAX_ERROR_TIME: Duration = Duration::from_secs(3);

async fn node(server: &S3, more: &[(&str, &str)]) -> TestNode {
    let endpoint = server.endpoint();
    let bucket = [
        ("S3_BUCKET_NAME", server.bucket()),
        ("S3_ENDPOINT", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", server.access_key()),
        ("AWS_SECRET_ACCESS_KEY", server.secret_key()),
    ];
    TestNode::with(&[more, &bucket].concat()).await
}

async fn redirecting() -> TestNode {
    node(testbed::shared::s3(), &[("S3_REDIRECT", "1")]).await
}

async fn ask(node: &TestNode, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = node.client.request(method, node.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn an_image_in_a_bucket_is_served_by_the_node() {
    let node = node(testbed::shared::s3(), &[]).await;
    let upload = node.uploaded().await;
    node.temporary_files_are_removed().await;
    let (path, bytes) = (&upload.content.url, pictures::png(3, 2));
    let whole = ask(&node, Method::GET, path, &[]).await;
    assert_eq!(whole.status(), StatusCode::OK);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", &bytes.len().to_string()),
        (
            "cache-control",
            "public, max-age=31536000, s-maxage=60, immutable",
        ),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
    ] {
        assert_eq!(header(whole.headers(), name), value, "{name}");
    }
    let etag = header(whole.headers(), "etag").to_owned();
    assert_eq!(whole.bytes().await.unwrap(), bytes);

    for (range, from, to) in [
        ("bytes=2-4", 2, 5),
        ("bytes=-3", bytes.len() - 3, bytes.len()),
    ] {
        let part = ask(&node, Method::GET, path, &[("range", range)]).await;
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.bytes().await.unwrap(), bytes[from..to]);
    }
    let known = ask(&node, Method::GET, path, &[("if-none-match", &etag)]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let head = ask(&node, Method::HEAD, path, &[]).await;
    assert_eq!(head.status(), StatusCode::OK);
    let away = ask(&node, Method::GET, "/i/AAAAAAAA", &[]).await;
    assert_eq!(away.status(), StatusCode::NOT_FOUND);
    node.stop().await;
}

#[tokio::test]
async fn an_image_from_a_multipart_upload_is_served_unchanged() {
    let node = node(testbed::shared::s3(), &[]).await;
    let picture = pictures::large_png(12 << 20);
    let response = node.upload(picture.clone()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let path = header(response.headers(), "location").replace("/u/", "/i/");
    let whole = node.get(&path).send().await.unwrap().bytes().await.unwrap();
    assert!(whole == picture);
    let over_the_edge = [("range", "bytes=8388600-8388620")];
    let part = ask(&node, Method::GET, &path, &over_the_edge).await;
    assert_eq!(part.bytes().await.unwrap(), picture[8_388_600..=8_388_620]);
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn readers_are_redirected_to_a_presigned_url() {
    let node = redirecting().await;
    let upload = node.uploaded().await;
    let (path, bytes) = (&upload.content.url, pictures::png(3, 2));
    for (method, range, status) in [
        (Method::GET, None, StatusCode::OK),
        (Method::HEAD, None, StatusCode::OK),
        (Method::GET, Some("bytes=2-4"), StatusCode::PARTIAL_CONTENT),
    ] {
        let headers: Vec<_> = range.iter().map(|range| ("range", *range)).collect();
        let sent = ask(&node, method.clone(), path, &headers).await;
        assert_eq!(sent.status(), StatusCode::TEMPORARY_REDIRECT);
        let cached = header(sent.headers(), "cache-control");
        assert_eq!(
            cached, "public, max-age=1800",
            "a presigned URL is valid for longer"
        );
        let address = header(sent.headers(), "location");
        assert!(address.starts_with(&testbed::shared::s3().endpoint()));
        let mut request = Client::new().request(method.clone(), address);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let image = request.send().await.unwrap();
        assert_eq!(image.status(), status, "{method}");
        assert_eq!(header(image.headers(), "content-type"), "image/png");
        let file_name = format!("inline; filename=\"{}.png\"", upload.short_id);
        assert_eq!(header(image.headers(), "content-disposition"), file_name);
        let expected = match (method, range) {
            (Method::HEAD, _) => &[],
            (_, Some(_)) => &bytes[2..5],
            (_, None) => &bytes[..],
        };
        assert_eq!(image.bytes().await.unwrap(), expected);
    }
    let away = ask(&node, Method::GET, "/i/AAAAAAAA", &[]).await;
    assert_eq!(away.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn smaller_pictures_are_kept_in_the_bucket_and_served_by_the_node() {
    let node = redirecting().await;
    let form = file_form(pictures::large_png(1_500_000));
    let upload: Upload = node.send_form(form).await.json().await.unwrap();
    let path = format!("{}?w=640", upload.content.url);
    let keys = async || {
        let listed = node.node.blobs.list_derived(None, 100_000).await.unwrap();
        listed.iter().any(|entry| entry.key == upload.short_id)
    };
    assert!(!keys().await);
    let first = ask(&node, Method::GET, &path, &[]).await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(header(first.headers(), "content-type"), "image/jpeg");
    let first = first.bytes().await.unwrap();
    assert!(keys().await);
    let (_, kept) = (node.node.blobs)
        .read_derived(upload.short_id, Derived::W640)
        .await
        .unwrap();
    let kept: Vec<_> = kept.try_collect().await.unwrap();
    assert_eq!(kept.concat(), first);
    let again = ask(&node, Method::GET, &path, &[]).await;
    assert_eq!(again.bytes().await.unwrap(), first);
    // What is shown as it is is redirected as before.
    let whole = format!("{}?w=2560", upload.content.url);
    let whole = ask(&node, Method::GET, &whole, &[]).await;
    assert_eq!(whole.status(), StatusCode::TEMPORARY_REDIRECT);
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn the_policy_of_pages_allows_images_from_the_redirect_origin() {
    let policy = async |node: &TestNode| {
        let upload = node.uploaded().await;
        let path = format!("/u/{}", upload.short_id);
        let page = node.get(&path).send().await.unwrap();
        let policy = header(page.headers(), "content-security-policy").to_owned();
        let pictures = policy.split("; ").find(|it| it.starts_with("img-src"));
        pictures.unwrap().to_owned()
    };
    let endpoint = testbed::shared::s3().endpoint();
    let sent = policy(&redirecting().await).await;
    assert_eq!(sent, format!("img-src 'self' blob: data: {endpoint}"));
    let served = policy(&node(testbed::shared::s3(), &[]).await).await;
    assert_eq!(served, "img-src 'self' blob: data:");
}

async fn fails_in_time(response: impl Future<Output = Response>) {
    let started = Instant::now();
    let response = response.await;
    assert!(
        started.elapsed() < MAX_ERROR_TIME,
        "{:?}",
        started.elapsed()
    );
    assert!(!header(response.headers(), "retry-after").is_empty());
    problem(response, 503, "unavailable").await;
}

async fn blobs_state(node: &TestNode) -> Value {
    let answer = node.get("/readyz").send().await.unwrap();
    answer.json::<Value>().await.unwrap()["backends"]["blobs"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_bucket_is_reported_in_time_and_used_again_after_recovery() {
    let server = S3::start().unwrap();
    let node = node(&server, &[]).await;
    let upload = node.uploaded().await;
    assert_eq!(blobs_state(&node).await, "ok");
    server.freeze().unwrap();
    let large = file_form(pictures::large_png(12 << 20));
    tokio::join!(
        fails_in_time(ask(&node, Method::GET, &upload.content.url, &[])),
        fails_in_time(node.upload(pictures::png(3, 2))),
        async { assert_eq!(blobs_state(&node).await, "away") },
    );
    problem(node.send_form(large).await, 503, "unavailable").await;
    node.temporary_files_are_removed().await;
    server.thaw().unwrap();
    for _ in 0..1_000 {
        if blobs_state(&node).await == "ok" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let image = ask(&node, Method::GET, &upload.content.url, &[]).await;
    assert_eq!(image.bytes().await.unwrap(), pictures::png(3, 2));
    node.uploaded().await;
    assert_eq!(node.blobs().await, 2, "refused uploads leave nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_never_logged() {
    let server = S3::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path());
    let node = Node::start(
        Path::new(env!("CARGO_BIN_EXE_tonesa")),
        &[
            ("TONESA_LOG", "trace"),
            ("TONESA_SITE_DIR", site.to_str().unwrap()),
            ("S3_BUCKET_NAME", server.bucket()),
            ("S3_ENDPOINT", &server.endpoint()),
            ("S3_REDIRECT", "1"),
            ("AWS_ACCESS_KEY_ID", server.access_key()),
            ("AWS_SECRET_ACCESS_KEY", server.secret_key()),
        ],
    )
    .unwrap();
    let client = Client::new();
    let upload = async || {
        let form = file_form(pictures::png(3, 2));
        let call = client.post(format!("{}/api/uploads", node.base()));
        call.multipart(form).send().await.unwrap()
    };
    let kept: Upload = upload().await.json().await.unwrap();
    let image = client.get(format!("{}{}", node.base(), kept.content.url));
    assert_eq!(image.send().await.unwrap().status(), StatusCode::OK);
    server.kill().unwrap();
    assert_eq!(upload().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let log = node.process().log();
    assert!(log.contains("the S3 server failed"), "{log}");
    for secret in [server.access_key(), server.secret_key(), "Signature"] {
        assert!(!log.contains(secret), "{secret}");
    }
}
