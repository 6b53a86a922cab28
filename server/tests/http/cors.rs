//! Clients that are other sites' pages (`TONESA_ALLOWED_ORIGINS`).

use app::model::Message;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::json;

use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, file_form, header, pictures, problem};

const ALLOWED: &str = "https://client.example";
const ALSO_ALLOWED: &str = "http://localhost:3000";
const FOREIGN: &str = "https://evil.example";
const ORIGINS: &str = "https://client.example, http://localhost:3000";
const SECRET: &str = "Bearer 0123456789abcdefABCD-_";

/// Sends what a page of this origin sends.
async fn send(request: RequestBuilder, origin: &str) -> Response {
    let request = request.header("origin", origin);
    let request = request.header("sec-fetch-site", "cross-site");
    request.send().await.unwrap()
}

fn post(node: &TestNode, upload: &str) -> RequestBuilder {
    let message = json!({"content": "a", "clientMessageID": "m"});
    let request = node.post(&format!("/api/uploads/{upload}/messages"));
    request.header("authorization", SECRET).json(&message)
}

fn preflight(node: &TestNode, path: &str) -> RequestBuilder {
    let request = node.client.request(Method::OPTIONS, node.url(path));
    let request = request.header("access-control-request-method", "POST");
    request.header(
        "access-control-request-headers",
        "authorization,content-type",
    )
}

/// Asserts who may read the response: an origin, `*`, or nobody. Cookies are never sent along.
fn assert_readable_by(response: &Response, allowed: &str) {
    let headers = response.headers();
    let url = response.url();
    let origin = header(headers, "access-control-allow-origin");
    assert_eq!(origin, allowed, "{url}");
    let credentials = header(headers, "access-control-allow-credentials");
    assert_eq!(credentials, "", "{url}");
    // For everyone the same, if all origins may read it.
    let mut vary = headers.get_all("vary").iter();
    let varies = vary.any(|vary| vary.to_str().unwrap().contains("origin"));
    assert_eq!(varies, allowed != "*", "{url}");
}

#[tokio::test]
async fn pages_of_allowed_origins_read_uploads_messages_and_images() {
    let node = TestNode::with(&[("TONESA_ALLOWED_ORIGINS", ORIGINS)]).await;
    let upload = node.uploaded().await;
    for (path, status) in [
        (format!("/api/uploads/{}", upload.id), 200),
        (format!("/api/uploads/{}/messages", upload.short_id), 200),
        (
            format!("/api/uploads/{}/messages?limit=0", upload.short_id),
            422,
        ),
        ("/api/uploads/AAAAAAAA".to_owned(), 404),
        (upload.content.url.clone(), 200),
        (format!("{}?w=640", upload.content.url), 200),
    ] {
        for (origin, allowed) in [
            (ALLOWED, ALLOWED),
            (ALSO_ALLOWED, ALSO_ALLOWED),
            (FOREIGN, ""),
            ("null", ""),
        ] {
            let response = send(node.get(&path), origin).await;
            assert_eq!(response.status().as_u16(), status, "{path}");
            assert_readable_by(&response, allowed);
        }
    }
    // A shared cache must not give a response without the header to a page that needs it.
    let without_origin = node.get(&upload.content.url).send().await.unwrap();
    assert_readable_by(&without_origin, "");
    for path in ["/", "/livez", &format!("/u/{}", upload.short_id)] {
        let response = send(node.get(path), ALLOWED).await;
        let origin = header(response.headers(), "access-control-allow-origin");
        assert_eq!(origin, "", "{path}");
    }
}

#[tokio::test]
async fn a_refusal_can_be_read_too() {
    let limits = [
        ("TONESA_ALLOWED_ORIGINS", ORIGINS),
        ("TONESA_MESSAGES_PER_MINUTE", "1"),
        ("TONESA_MISSES_PER_MINUTE", "1"),
    ];
    let node = TestNode::with(&limits).await;
    let id = node.uploaded().await.id.to_string();
    while send(post(&node, &id), ALLOWED).await.status() != StatusCode::TOO_MANY_REQUESTS {}
    let refused = send(post(&node, &id), ALLOWED).await;
    assert_readable_by(&refused, ALLOWED);
    let exposed = header(refused.headers(), "access-control-expose-headers");
    assert_eq!(exposed, "retry-after");
    problem(refused, 429, "too-many-requests").await;
    let guess = || send(node.get("/api/uploads/AAAAAAAA"), ALLOWED);
    while guess().await.status() != StatusCode::TOO_MANY_REQUESTS {}
    assert_readable_by(&guess().await, ALLOWED);
}

#[tokio::test]
async fn pages_of_allowed_origins_post_messages_with_a_secret() {
    let node = TestNode::with(&[("TONESA_ALLOWED_ORIGINS", ORIGINS)]).await;
    let id = node.uploaded().await.id.to_string();
    let path = format!("/api/uploads/{id}/messages");
    let allowed = send(preflight(&node, &path), ALLOWED).await;
    assert_eq!(allowed.status(), StatusCode::OK);
    assert_readable_by(&allowed, ALLOWED);
    for (name, value) in [
        ("access-control-allow-methods", "GET,HEAD,POST,DELETE"),
        ("access-control-allow-headers", "authorization,content-type"),
        ("access-control-max-age", "3600"),
    ] {
        assert_eq!(header(allowed.headers(), name), value);
    }
    assert_readable_by(&send(preflight(&node, &path), FOREIGN).await, "");

    let posted = send(post(&node, &id), ALLOWED).await;
    assert_eq!(posted.status(), StatusCode::CREATED);
    assert_readable_by(&posted, ALLOWED);
    let message: Message = posted.json().await.unwrap();
    assert!(message.author.is_some());
    let refused = send(post(&node, &id), FOREIGN).await;
    assert_readable_by(&refused, "");
    problem(refused, 403, "foreign-origin").await;
    let two = post(&node, &id).header("origin", ALLOWED);
    problem(send(two, FOREIGN).await, 403, "foreign-origin").await;
}

#[tokio::test]
async fn allowed_origins_neither_upload_nor_send_forms() {
    let node = TestNode::with(&[("TONESA_ALLOWED_ORIGINS", ORIGINS)]).await;
    let upload = node.uploaded().await;
    let file = file_form(pictures::png(3, 2));
    let refused = send(node.post("/api/uploads").multipart(file), ALLOWED).await;
    problem(refused, 403, "foreign-origin").await;
    let form = node.post(&format!("/u/{}/messages", upload.short_id));
    let form = form.form(&[("content", "a")]);
    problem(send(form, ALLOWED).await, 403, "foreign-origin").await;
}

#[tokio::test]
async fn pages_of_allowed_origins_open_sockets() {
    let public_url = ("PUBLIC_URL", "https://tonesa.example");
    let node = TestNode::with(&[("TONESA_ALLOWED_ORIGINS", ORIGINS), public_url]).await;
    for (origin, is_accepted) in [
        (ALLOWED, true),
        (ALSO_ALLOWED, true),
        ("https://tonesa.example", true),
        (FOREIGN, false),
        ("null", false),
    ] {
        let headers = [("origin", origin)];
        let socket = SocketClient::try_connect(&node.base(), &headers).await;
        assert_eq!(socket.is_ok(), is_accepted, "{origin}");
    }
}

#[tokio::test]
async fn all_origins_may_be_allowed() {
    let node = TestNode::with(&[("TONESA_ALLOWED_ORIGINS", "*")]).await;
    let upload = node.uploaded().await;
    let id = upload.id.to_string();
    for origin in [ALLOWED, FOREIGN, "null"] {
        let image = send(node.get(&upload.content.url), origin).await;
        assert_readable_by(&image, "*");
        let posted = send(post(&node, &id), origin).await;
        assert!(posted.status().is_success());
        assert_readable_by(&posted, "*");
        let headers = [("origin", origin)];
        let socket = SocketClient::try_connect(&node.base(), &headers).await;
        assert!(socket.is_ok(), "{origin}");
    }
}

#[tokio::test]
async fn without_the_setting_no_other_origin_reads_or_asks() {
    let node = TestNode::start().await;
    let path = format!("/api/uploads/{}", node.uploaded().await.id);
    let response = send(node.get(&path), ALLOWED).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(response.headers(), "vary"), "");
    let origin = header(response.headers(), "access-control-allow-origin");
    assert_eq!(origin, "");
    let refused = send(preflight(&node, &path), ALLOWED).await;
    problem(refused, 405, "method-not-allowed").await;
}
