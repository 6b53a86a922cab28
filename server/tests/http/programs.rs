//! Uploading by other programs: curl and ShareX.

use app::model::Upload;
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::common::{TestNode, file_form, header, pictures, problem};

/// Sends an image as `curl -F file=@picture.png` does.
async fn send(request: RequestBuilder) -> Response {
    let form = file_form(pictures::png(3, 2));
    request.multipart(form).send().await.unwrap()
}

#[tokio::test]
async fn a_program_that_accepts_plain_text_gets_the_link_and_the_command_that_deletes() {
    let node = TestNode::start().await;
    let public = TestNode::with(&[("PUBLIC_URL", "https://tonesa.example")]).await;
    for (node, origin) in [
        (&node, node.base()),
        (&public, "https://tonesa.example".to_owned()),
    ] {
        for path in ["/api/uploads", "/"] {
            for accept in ["text/plain", "application/json;q=0.5, text/plain"] {
                let response = send(node.post(path).header("accept", accept)).await;
                assert_eq!(response.status(), StatusCode::CREATED);
                let content_type = header(response.headers(), "content-type");
                assert_eq!(content_type, "text/plain; charset=utf-8");
                let page = header(response.headers(), "location").to_owned();
                let text = response.text().await.unwrap();
                let (link, command) = text.trim_end().split_once('\n').unwrap();
                assert_eq!(link, format!("{origin}{page}"));
                let api = page.replace("/u/", "/api/uploads/");
                let start = "curl -X DELETE -H 'Authorization: Bearer ";
                let token = command.strip_prefix(start).unwrap();
                let token = token.strip_suffix(&format!("' {origin}{api}")).unwrap();
                let deleted = node.delete(&api).bearer_auth(token).send().await.unwrap();
                assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
                let page = node.get(&page).send().await.unwrap();
                assert_eq!(page.status(), StatusCode::GONE);
                // One who has a secret knows how.
                let own = node.post(path).header("accept", accept);
                let own = send(own.bearer_auth("0123456789abcdef-secret")).await;
                assert_eq!(own.text().await.unwrap().lines().count(), 1);
            }
        }
    }
}

#[tokio::test]
async fn the_root_takes_uploads_like_the_api() {
    let node = TestNode::with(&[("TONESA_UPLOADS_PER_MINUTE", "4")]).await;
    for accept in ["*/*", "application/json"] {
        let response = send(node.post("/").header("accept", accept)).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let page = header(response.headers(), "location").to_owned();
        let upload: Upload = response.json().await.unwrap();
        assert_eq!(page, format!("/u/{}", upload.short_id));
    }
    let foreign = node.post("/").header("origin", "https://evil.example");
    problem(send(foreign).await, 403, "foreign-origin").await;
    let secret = node.post("/").header("authorization", "Basic x");
    problem(send(secret).await, 401, "unauthorized").await;
    let text = Form::new().part("file", Part::bytes(b"text".to_vec()));
    let text = node.post("/").multipart(text).send().await.unwrap();
    problem(text, 415, "unsupported-type").await;
    // One limit for both addresses.
    assert_eq!(
        send(node.post("/api/uploads")).await.status(),
        StatusCode::CREATED
    );
    let refused = send(node.post("/").header("accept", "text/plain")).await;
    problem(refused, 429, "too-many-requests").await;
}

#[tokio::test]
async fn sharex_uploads_with_the_file_that_it_opens() {
    let node = TestNode::start().await;
    let response = node.get("/sharex.sxcu").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers();
    let disposition = header(headers, "content-disposition");
    assert_eq!(disposition, "attachment; filename=\"tonesa.sxcu\"");
    assert_eq!(header(headers, "content-type"), "application/json");
    let uploader: Value = response.json().await.unwrap();
    let text = |name: &str| uploader[name].as_str().unwrap().to_owned();
    assert_eq!(text("Body"), "MultipartFormData");
    assert_eq!(text("RequestMethod"), "POST");

    let part = Part::bytes(pictures::png(3, 2)).file_name("screenshot.png");
    let form = Form::new().part(text("FileFormName"), part);
    let mut request = node.client.post(text("RequestURL")).multipart(form);
    for (name, value) in uploader["Headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    let upload: Value = request.send().await.unwrap().json().await.unwrap();
    // What stands for a field of the response.
    let id = upload["shortID"].as_str().unwrap();
    let link = text("URL").replace("{json:shortID}", id);
    assert_eq!(link, node.url(&format!("/u/{id}")));
    let page = node.client.get(link).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);

    assert_eq!(text("ErrorMessage"), "{json:detail}");
    let refused = node.post("/api/uploads").json(&json!({})).send().await;
    let refused: Value = refused.unwrap().json().await.unwrap();
    assert!(!refused["detail"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn sharex_is_told_the_public_address() {
    let node = TestNode::with(&[("PUBLIC_URL", "https://tonesa.example")]).await;
    let uploader = node.get("/sharex.sxcu").send().await.unwrap();
    let uploader: Value = uploader.json().await.unwrap();
    let request = &uploader["RequestURL"];
    assert_eq!(request, "https://tonesa.example/api/uploads");
    let link = &uploader["URL"];
    assert_eq!(link, "https://tonesa.example/u/{json:shortID}");
}
