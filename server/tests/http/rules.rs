//! Rules for all requests: methods, origins, rates, request ids, health.

use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, file_form, header, pictures, problem, raw};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

async fn upload_from(node: &TestNode, headers: &[(&str, &str)]) -> Response {
    let mut request = node.post("/api/uploads");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .multipart(file_form(pictures::png(3, 2)))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_wrong_method_is_answered_with_the_allowed_ones() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let id = upload.short_id;
    for (path, allowed, wrong) in [
        (
            "/api/uploads".to_owned(),
            "POST",
            vec![Method::GET, Method::PUT, Method::DELETE],
        ),
        (
            format!("/api/uploads/{id}"),
            "GET,HEAD,DELETE",
            vec![Method::POST, Method::PUT],
        ),
        (
            format!("/api/uploads/{id}/messages"),
            "GET,HEAD,POST",
            vec![Method::PUT, Method::PATCH],
        ),
        (
            format!("/api/uploads/{id}/messages/1"),
            "DELETE",
            vec![Method::GET, Method::POST],
        ),
        (format!("/i/{id}"), "GET,HEAD", vec![Method::POST]),
        (format!("/u/{id}"), "GET,HEAD", vec![Method::POST]),
        (format!("/u/{id}/messages"), "POST", vec![Method::GET]),
        (format!("/u/{id}/qr.svg"), "GET,HEAD", vec![Method::POST]),
        (
            "/".to_owned(),
            "GET,HEAD,POST",
            vec![Method::PUT, Method::OPTIONS],
        ),
        ("/livez".to_owned(), "GET,HEAD", vec![Method::POST]),
        ("/readyz".to_owned(), "GET,HEAD", vec![Method::POST]),
        ("/robots.txt".to_owned(), "GET,HEAD", vec![Method::POST]),
        (
            "/assets/tonesa-1.css".to_owned(),
            "GET,HEAD",
            vec![Method::DELETE],
        ),
    ] {
        for method in wrong {
            let response = node
                .client
                .request(method.clone(), node.url(&path))
                .send()
                .await
                .unwrap();
            assert_eq!(
                header(response.headers(), "allow"),
                allowed,
                "{method} {path}"
            );
            problem(response, 405, "method-not-allowed").await;
        }
    }
}

#[tokio::test]
async fn a_post_from_a_foreign_page_is_forbidden() {
    let node = TestNode::with(&[("PUBLIC_URL", "https://tonesa.example")]).await;
    let upload = node.uploaded().await;
    // The requested host is no evidence: a foreign name may resolve to this node.
    let asked_for = format!("http://{}", node.address);
    for origin in [
        asked_for.as_str(),
        "https://evil.example",
        "null",
        "https://tonesa.example:8443",
        "http://127.0.0.1:1",
        "nonsense",
    ] {
        problem(
            upload_from(&node, &[("origin", origin)]).await,
            403,
            "foreign-origin",
        )
        .await;
        let path = format!("/api/uploads/{}/messages", upload.short_id);
        let body = json!({"content": "hi", "clientMessageID": "m"});
        let request = node.post(&path).header("origin", origin).json(&body);
        problem(request.send().await.unwrap(), 403, "foreign-origin").await;
    }
    let public = [("origin", "https://tonesa.example")];
    assert_eq!(
        upload_from(&node, &public).await.status(),
        StatusCode::CREATED
    );
    let unnamed = TestNode::start().await;
    let own = format!("http://{}", unnamed.address);
    assert_eq!(
        upload_from(&unnamed, &[("origin", &own)]).await.status(),
        StatusCode::CREATED
    );
    let browser = [("origin", "https://evil.example"), ("accept", "text/html")];
    let page = upload_from(&node, &browser).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        header(page.headers(), "content-type"),
        "text/html; charset=utf-8"
    );
}

#[tokio::test]
async fn a_cross_site_write_is_forbidden_with_any_origin() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/u/{}/messages", upload.short_id);
    let own = format!("http://{}", node.address);
    for site in ["cross-site", "Cross-Site"] {
        let headers = [("sec-fetch-site", site), ("origin", &own)];
        for headers in [&headers[..1], &headers] {
            let refused = upload_from(&node, headers).await;
            problem(refused, 403, "foreign-origin").await;
        }
        let form = node.post(&path).header("sec-fetch-site", site);
        let refused = form.form(&[("content", "hi")]).send().await.unwrap();
        problem(refused, 403, "foreign-origin").await;
        let socket = SocketClient::try_connect(&node.base(), &headers).await;
        assert!(socket.is_err_and(|error| error.to_string().contains("403")));
    }
    for site in ["same-origin", "same-site", "none", "a-later-word"] {
        let headers = [("sec-fetch-site", site), ("origin", own.as_str())];
        for headers in [&headers[..1], &headers] {
            let status = upload_from(&node, headers).await.status();
            assert_eq!(status, StatusCode::CREATED, "{headers:?}");
        }
        let socket = SocketClient::try_connect(&node.base(), &headers).await;
        assert!(socket.is_ok(), "{site}");
    }
    let own = &[("origin", "null"), ("sec-fetch-site", "same-origin")];
    let twice = &[
        ("origin", "null"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-site", "none"),
    ];
    let foreign = &[
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "none"),
    ];
    for headers in [&own[..], twice, foreign] {
        let refused = upload_from(&node, headers).await;
        problem(refused, 403, "foreign-origin").await;
    }
    // A link on another site's page may lead here.
    let page = node.get("/").header("sec-fetch-site", "cross-site");
    assert_eq!(page.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_request_must_name_its_host_once() {
    let node = TestNode::start().await;
    for (version, hosts, status) in [
        ("1.1", "", 400),
        ("1.1", "Host: t\r\nHost: u\r\n", 400),
        ("1.1", "Host: t\r\nHost: t\r\n", 400),
        ("1.1", "Host: t, u\r\n", 400),
        ("1.1", "Host: user@t\r\n", 400),
        ("1.1", "Host: t\r\n", 200),
        ("1.0", "", 200),
    ] {
        let request = format!("GET / HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
        let answer = raw::exchange(node.address, request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(&format!(" {status} ")), "{hosts:?}: {line}");
    }
}

#[tokio::test]
async fn reading_is_allowed_from_every_origin() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let request = node
        .get(&upload.content.url)
        .header("origin", "https://evil.example");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn uploads_are_limited_by_address() {
    let node = TestNode::with(&[("TONESA_UPLOADS_PER_MINUTE", "3")]).await;
    for _ in 0..3 {
        assert_eq!(upload_from(&node, &[]).await.status(), StatusCode::CREATED);
    }
    let refused = upload_from(&node, &[]).await;
    let wait: u64 = header(refused.headers(), "retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    problem(refused, 429, "too-many-requests").await;
}

#[tokio::test]
async fn messages_are_limited_by_address() {
    let node = TestNode::with(&[("TONESA_MESSAGES_PER_MINUTE", "2")]).await;
    let upload = node.uploaded().await;
    node.post_texts(&upload, &["one", "two"]).await;
    let body = json!({"content": "three", "clientMessageID": "three"});
    let refused = node.post_message(upload.short_id.as_str(), &body).await;
    let wait: u64 = header(refused.headers(), "retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    problem(refused, 429, "too-many-requests").await;
}

#[tokio::test]
async fn a_forwarded_address_is_accepted_from_trusted_proxies_only() {
    let limit = ("TONESA_UPLOADS_PER_MINUTE", "1");
    let trusting =
        TestNode::with(&[limit, ("TONESA_TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8")]).await;
    for (forwarded_for, status) in [
        ("203.0.113.1", 201),
        ("203.0.113.1, 10.1.2.3", 429),
        ("198.51.100.7, 203.0.113.1", 429),
        ("203.0.113.2", 201),
        ("2001:db8::1", 201),
        ("2001:db8::2", 429),
        ("2001:db8:0:1::2", 201),
        ("::ffff:203.0.113.2", 429),
    ] {
        let response = upload_from(&trusting, &[("x-forwarded-for", forwarded_for)]).await;
        assert_eq!(response.status().as_u16(), status, "{forwarded_for}");
    }
    let wary = TestNode::with(&[limit]).await;
    for (forwarded_for, status) in [("203.0.113.1", 201), ("203.0.113.2", 429)] {
        let response = upload_from(&wary, &[("x-forwarded-for", forwarded_for)]).await;
        assert_eq!(response.status().as_u16(), status, "{forwarded_for}");
    }
}

#[tokio::test]
async fn a_trusted_proxys_valid_request_id_is_kept() {
    let node = TestNode::with(&[("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let untrusting = TestNode::start().await;
    let id_from = async |node: &TestNode, given: &str| {
        let response = node
            .get("/livez")
            .header("x-request-id", given)
            .send()
            .await
            .unwrap();
        header(response.headers(), "x-request-id").to_owned()
    };
    assert_eq!(id_from(&node, "proxy-7.1").await, "proxy-7.1");
    assert_ne!(id_from(&untrusting, "proxy-7.1").await, "proxy-7.1");
    for given in ["", "with space", &"x".repeat(65)] {
        let id = id_from(&node, given).await;
        assert!(id != given && id.len() == 16, "{id}");
    }
    let unknown = node.get("/nowhere").send().await.unwrap();
    assert_eq!(header(unknown.headers(), "x-request-id").len(), 16);
}

#[tokio::test]
async fn answers_have_default_headers() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for (path, caching) in [
        (format!("/api/uploads/{}", upload.short_id), "no-cache"),
        (
            format!("/api/uploads/{}/messages", upload.short_id),
            "no-cache",
        ),
        ("/api/uploads/AAAAAAAA".to_owned(), "no-store"),
        ("/livez".to_owned(), "no-store"),
    ] {
        let response = node.get(&path).send().await.unwrap();
        assert_eq!(
            header(response.headers(), "x-content-type-options"),
            "nosniff",
            "{path}"
        );
        assert_eq!(
            header(response.headers(), "cache-control"),
            caching,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_healthy_node_is_up_and_ready() {
    let node = TestNode::start().await;
    let backends = json!({"store": "ok", "blobs": "ok", "broker": "ok"});
    let kinds = json!({"store": "sqlite", "blobs": "folder", "broker": "memory"});
    for (path, expected) in [
        ("/livez", json!({"status": "ok"})),
        (
            "/readyz",
            json!({"status": "ok", "backends": backends, "kinds": kinds}),
        ),
    ] {
        let response = node.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.json::<Value>().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn invalid_http_ends_the_connection() {
    let node = TestNode::start().await;
    for request in ["nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let answer = raw::exchange(node.address, request).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    let endless = format!(
        "GET / HTTP/1.1\r\nHost: t\r\nX-Long: {}\r\n\r\n",
        "x".repeat(60_000)
    );
    let answer = raw::exchange(node.address, endless).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}
