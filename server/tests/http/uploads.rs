//! Uploads and refusals (protocol.md: `POST /api/uploads`, `GET /api/uploads/{id}`).

use crate::common::{TestNode, file_form, header, pictures, problem};
use app::model::{MediaType, Upload};
use bytes::Bytes;
use futures::{StreamExt, stream};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, StatusCode};
use serde_json::Value;

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn an_image_of_each_type_becomes_an_upload() {
    let node = TestNode::start().await;
    for (bytes, media_type, width, height) in [
        (pictures::png(7, 3), MediaType::Png, 7, 3),
        (pictures::jpeg(), MediaType::Jpeg, 5, 4),
        (pictures::gif(2, 9), MediaType::Gif, 2, 9),
        (pictures::webp(6, 8), MediaType::WebP, 6, 8),
    ] {
        let response = node.upload(bytes).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let location = header(response.headers(), "location").to_owned();
        let upload: Upload = response.json().await.unwrap();
        assert_eq!(location, format!("/u/{}", upload.short_id));
        assert_eq!(upload.content.url, format!("/i/{}", upload.short_id));
        assert_eq!(upload.content.media_type, media_type);
        assert_eq!(
            (upload.content.width, upload.content.height),
            (width, height)
        );
        let image = node.get(&upload.content.url).send().await.unwrap();
        assert_eq!(
            image.bytes().await.unwrap().len() as u64,
            upload.content.size
        );
    }
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn an_upload_is_written_with_the_fields_of_the_protocol() {
    let node = TestNode::start().await;
    let upload: Value = node.upload(pictures::png(3, 2)).await.json().await.unwrap();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys(&upload),
        [
            "content",
            "createdAt",
            "deleteToken",
            "id",
            "kind",
            "shortID"
        ]
    );
    assert_eq!(
        keys(&upload["content"]),
        ["height", "mediaType", "size", "url", "width"]
    );
    assert_eq!(upload["kind"], "image");
    assert_eq!(upload["content"]["mediaType"], "image/png");
}

#[tokio::test]
async fn an_upload_is_found_by_either_form_of_its_id() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for id in [
        upload.id.to_string(),
        upload.id.to_string().to_uppercase(),
        upload.short_id.to_string(),
    ] {
        let response = node
            .get(&format!("/api/uploads/{id}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{id}");
        assert_eq!(response.json::<Upload>().await.unwrap(), upload);
    }
}

#[tokio::test]
async fn an_unknown_upload_and_a_malformed_id_are_not_found() {
    let node = TestNode::start().await;
    for id in [
        "AAAAAAAA",
        "0123456789abcdef01234567",
        "short",
        "%2e%2e%2fetc",
        "aaaaaaa%ff",
        "aaaa-aaa",
    ] {
        let path = format!("/api/uploads/{id}");
        problem(node.get(&path).send().await.unwrap(), 404, "not-found").await;
    }
}

#[tokio::test]
async fn other_fields_of_the_form_are_ignored() {
    let node = TestNode::start().await;
    let form = Form::new()
        .text("before", "x".repeat(30_000))
        .part("file", Part::bytes(pictures::png(3, 2)))
        .text("after", "y".repeat(30_000));
    let response = node
        .post("/api/uploads")
        .multipart(form)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_form_is_redirected_to_the_page_of_its_upload() {
    let node = TestNode::start().await;
    let request = node.post("/api/uploads").header("accept", HTML);
    let response = request
        .multipart(file_form(pictures::png(3, 2)))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let page = node
        .get(header(response.headers(), "location"))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_form_gets_an_error_page() {
    let node = TestNode::with(&[("TONESA_MAX_UPLOAD_BYTES", "2048")]).await;
    for (bytes, status, sentence) in [
        (vec![7; 2049], 413, "at most 2\u{a0}kB"),
        (b"only text".to_vec(), 415, "PNG, JPEG, GIF and WebP"),
        (
            pictures::png(3, 2)[..60].to_vec(),
            422,
            "damaged or cut short",
        ),
    ] {
        let request = node.post("/api/uploads").header("accept", HTML);
        let response = request.multipart(file_form(bytes)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(
            header(response.headers(), "content-type"),
            "text/html; charset=utf-8"
        );
        let policy = header(response.headers(), "content-security-policy").to_owned();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        let page = response.text().await.unwrap();
        assert!(page.contains(sentence), "{page}");
    }
}

#[tokio::test]
async fn a_form_without_a_file_is_malformed() {
    let node = TestNode::start().await;
    let not_chosen = Part::bytes(Vec::new()).file_name("");
    for form in [
        Form::new(),
        Form::new().text("picture", "x"),
        Form::new().part("file", not_chosen),
        file_form(pictures::png(3, 2)).part("file", Part::bytes(pictures::png(3, 2))),
    ] {
        let response = node.send_form(form).await;
        problem(response, 400, "malformed").await;
    }
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn a_form_that_never_begins_is_malformed() {
    let node = TestNode::start().await;
    for start in ["--b\r\nX-Long: ", "no form, "] {
        let request = node
            .post("/api/uploads")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(format!("{start}{}", "x".repeat(100_000)));
        let refusal = problem(request.send().await.unwrap(), 400, "malformed").await;
        let detail = refusal["detail"].as_str().unwrap();
        assert!(detail.contains("no well-formed"), "{detail}");
    }
}

#[tokio::test]
async fn a_broken_form_is_malformed() {
    let node = TestNode::start().await;
    let png = pictures::png(3, 2);
    let part = [
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n"
            .as_slice(),
        &png,
    ]
    .concat();
    let long_header = format!("--b\r\nX-Long: {}", "x".repeat(100_000));
    for (content_type, body) in [
        (
            "multipart/form-data",
            [&part, b"\r\n--b--\r\n".as_slice()].concat(),
        ),
        ("multipart/form-data; boundary=", part.clone()),
        ("multipart/form-data; boundary=b", part.clone()),
        (
            "multipart/form-data; boundary=b",
            [&part, b"\r\n--b".as_slice()].concat(),
        ),
        ("multipart/form-data; boundary=other", part.clone()),
        ("multipart/form-data; boundary=b", Vec::new()),
        (
            "multipart/form-data; boundary=b",
            b"no form at all".to_vec(),
        ),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n".to_vec(),
        ),
        ("multipart/form-data; boundary=b", long_header.into_bytes()),
        ("application/json", b"{}".to_vec()),
        ("image/png", png.clone()),
    ] {
        let request = node
            .post("/api/uploads")
            .header("content-type", content_type);
        problem(request.body(body).send().await.unwrap(), 400, "malformed").await;
    }
    let bare = node.post("/api/uploads").send().await.unwrap();
    problem(bare, 400, "malformed").await;
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn a_file_that_is_not_an_image_is_an_unsupported_type() {
    let node = TestNode::start().await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec();
    for bytes in [
        Vec::new(),
        b"hello".to_vec(),
        svg,
        b"BM\x1a\0\0\0\0\0\0\0".to_vec(),
        vec![0; 5_000],
    ] {
        problem(node.upload(bytes).await, 415, "unsupported-type").await;
    }
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn a_damaged_or_too_large_image_is_refused() {
    let node = TestNode::with(&[("TONESA_MAX_PIXELS", "100")]).await;
    let whole = pictures::png(9, 9);
    let cut_short = whole[..whole.len() - 20].to_vec();
    for bytes in [cut_short, pictures::png(101, 1), pictures::gif(20, 20)] {
        problem(node.upload(bytes).await, 422, "bad-image").await;
    }
    assert_eq!(node.upload(whole).await.status(), StatusCode::CREATED);
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn a_client_that_disconnects_leaves_nothing() {
    let node = TestNode::start().await;
    let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![1; 300_000]))]);
    let form = Form::new().part(
        "file",
        Part::stream(Body::wrap_stream(pieces.chain(stream::pending()))),
    );
    let request = node.post("/api/uploads").multipart(form).send();
    let sending = tokio::spawn(request);
    while node.temporary_files() == 0 {
        tokio::task::yield_now().await;
    }
    sending.abort();
    node.wait_until("the temporary file is removed", async || {
        node.temporary_files() == 0
    })
    .await;
}
