//! The server-rendered pages and the packaged files.

use app::model::Upload;

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
async fn the_home_page_is_rendered() {
    let node = TestNode::start().await;
    let response = get(&node, "/", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        header(response.headers(), "content-type"),
        "text/html; charset=utf-8"
    );
    assert_eq!(header(response.headers(), "cache-control"), "no-cache");
    let page = response.text().await.unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(page.contains("/assets/tonesa-1.css"), "{page}");
}

#[tokio::test]
async fn the_picture_is_loaded_before_the_program_where_it_is_wide() {
    let node = TestNode::start().await;
    let is_preloaded = async |path: &str| {
        let page = get(&node, path, &[]).await.text().await.unwrap();
        page.contains(r#"<link rel="preload" as="fetch" type="application/wasm""#)
    };
    assert!(is_preloaded("/").await);
    for (width, first) in [(640, "program"), (641, "picture")] {
        let uploaded = node.upload(pictures::png(width, 2)).await;
        let upload: Upload = uploaded.json().await.unwrap();
        let preloaded = is_preloaded(&format!("/u/{}", upload.short_id)).await;
        assert_eq!(preloaded, first == "program", "{width}");
    }
}

#[tokio::test]
async fn an_uploads_page_contains_image_messages_and_share_metadata() {
    let node = TestNode::with(&[("PUBLIC_URL", "https://tonesa.example/")]).await;
    let upload = node.uploaded().await;
    node.post_texts(&upload, &["first <b>words</b>", "last words"])
        .await;
    let page = get(&node, &format!("/u/{}", upload.short_id), &[]).await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    for text in [
        upload.content.url.as_str(),
        "first &lt;b&gt;words&lt;/b&gt;",
        "last words",
        "og:image",
        &format!("https://tonesa.example/i/{}", upload.short_id),
        &format!("https://tonesa.example/u/{}", upload.short_id),
    ] {
        assert!(page.contains(text), "{text} is missing in {page}");
    }
}

#[tokio::test]
async fn absolute_addresses_follow_the_request_without_a_public_url() {
    let node = TestNode::with(&[("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let upload = node.uploaded().await;
    let path = format!("/u/{}", upload.short_id);
    let own = get(&node, &path, &[]).await.text().await.unwrap();
    assert!(own.contains(&node.url(&path)), "{own}");
    let proxied = [
        ("x-forwarded-host", "tonesa.example"),
        ("x-forwarded-proto", "https"),
    ];
    let proxied = get(&node, &path, &proxied).await.text().await.unwrap();
    assert!(
        proxied.contains(&format!("https://tonesa.example{path}")),
        "{proxied}"
    );
}

#[tokio::test]
async fn an_unknown_link_is_a_404_page() {
    let node = TestNode::start().await;
    for path in [
        "/u/AAAAAAAA",
        "/u/0123456789abcdef01234567",
        "/u/short",
        "/u/%ff",
        "/u/%ff/",
        "/nowhere",
        "/u/",
        "/u/a/b",
    ] {
        for accept in ["*/*", "text/html"] {
            let response = get(&node, path, &[("accept", accept)]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(
                header(response.headers(), "content-type"),
                "text/html; charset=utf-8"
            );
            assert!(
                response
                    .text()
                    .await
                    .unwrap()
                    .starts_with("<!DOCTYPE html>")
            );
        }
    }
}

#[tokio::test]
async fn unknown_addresses_of_the_api_are_problems_even_for_browsers() {
    let node = TestNode::start().await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/uploads/AAAAAAAA",
        "/assets/tonesa-2.css",
    ] {
        let response = get(&node, path, &[("accept", "*/*")]).await;
        if path == "/api" {
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
        } else {
            problem(response, 404, "not-found").await;
        }
    }
    let browser = get(
        &node,
        "/api/uploads/AAAAAAAA",
        &[("accept", "text/html,*/*;q=0.8")],
    )
    .await;
    problem(browser, 404, "not-found").await;
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for (path, status) in [
        ("/".to_owned(), 200),
        (format!("/u/{}", upload.short_id), 200),
        ("/u/AAAAAAAA".to_owned(), 404),
        ("/robots.txt".to_owned(), 200),
    ] {
        let response = node.client.head(node.url(&path)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert!(response.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn other_forms_of_an_uploads_address_are_redirected() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let page = format!("/u/{}", upload.short_id);
    for path in [format!("/u/{}", upload.id), format!("{page}/")] {
        let response = get(&node, &path, &[]).await;
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT, "{path}");
        assert_eq!(header(response.headers(), "location"), page);
    }
}

#[tokio::test]
async fn hashed_files_are_immutable_and_served_in_the_best_encoding() {
    let node = TestNode::start().await;
    for (accepted, encoding, body) in [
        ("gzip, deflate, br", "br", "the style sheet in brotli"),
        ("gzip", "gzip", "the style sheet in gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", "the style sheet in gzip"),
        ("*", "br", "the style sheet in brotli"),
        ("identity", "", "body { margin: 0 }"),
    ] {
        let response = get(
            &node,
            "/assets/tonesa-1.css",
            &[("accept-encoding", accepted)],
        )
        .await;
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers();
        assert_eq!(header(headers, "content-encoding"), encoding, "{accepted}");
        assert_eq!(
            header(headers, "cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(header(headers, "content-type"), "text/css; charset=utf-8");
        assert_eq!(header(headers, "vary"), "accept-encoding");
        assert_eq!(response.text().await.unwrap(), body);
    }
    let wasm = get(&node, "/assets/tonesa-1.wasm", &[("accept-encoding", "br")]).await;
    assert_eq!(header(wasm.headers(), "content-type"), "application/wasm");
    assert_eq!(header(wasm.headers(), "content-encoding"), "");
}

#[tokio::test]
async fn public_files_are_served_at_the_root_and_revalidated() {
    let node = TestNode::start().await;
    for (path, content_type) in [
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ] {
        let response = get(&node, path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(response.headers(), "content-type"), content_type);
        assert_eq!(
            header(response.headers(), "cache-control"),
            "public, max-age=3600"
        );
        let etag = header(response.headers(), "etag").to_owned();
        let again = get(&node, path, &[("if-none-match", &etag)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(header(again.headers(), "etag"), etag);
    }
    for path in [
        "/manifest.json",
        "/assets/../manifest.json",
        "/public/robots.txt",
        "/tonesa-1.css.br",
    ] {
        assert_eq!(
            get(&node, path, &[]).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn long_pages_and_lists_are_compressed() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    node.post_texts(&upload, &["long ".repeat(300).as_str()])
        .await;
    for path in [
        format!("/u/{}", upload.short_id),
        format!("/api/uploads/{}/messages", upload.short_id),
    ] {
        let response = get(&node, &path, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(
            header(response.headers(), "content-encoding"),
            "gzip",
            "{path}"
        );
        assert!(header(response.headers(), "vary").contains("accept-encoding"));
        let plain = get(&node, &path, &[]).await;
        assert_eq!(header(plain.headers(), "content-encoding"), "", "{path}");
    }
    let image = get(&node, &upload.content.url, &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(image.headers(), "content-encoding"), "");
}
