//! Images that the system's share sheet sends to the installed app (`share_target` in the web app's manifest).

use crate::common::{TestNode, header, pictures, problem};
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

const MANIFEST: &str = include_str!("../../../public/manifest.webmanifest");

#[tokio::test]
async fn an_image_from_the_share_sheet_gets_a_page() {
    let manifest: Value = serde_json::from_str(MANIFEST).unwrap();
    let target = &manifest["share_target"];
    assert_eq!(target["method"], "POST");
    assert_eq!(target["enctype"], "multipart/form-data");
    let node = TestNode::with(&[("PUBLIC_URL", "https://tonesa.example")]).await;
    let field = target["params"]["files"][0]["name"].as_str().unwrap();
    let image = Part::bytes(pictures::png(3, 2)).file_name("shared.png");
    // As browsers send it: a navigation that no page has started.
    let request = node
        .post(target["action"].as_str().unwrap())
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .header("origin", "null")
        .header("sec-fetch-site", "none")
        .header("sec-fetch-mode", "navigate")
        .multipart(Form::new().part(field.to_owned(), image));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    // So that it gets into the browser's own list.
    let page = header(response.headers(), "location");
    let id = page.strip_prefix("/u/").unwrap();
    let cookie = format!("tonesa-uploaded={id}; SameSite=Strict; Path={page}; Max-Age=60");
    assert_eq!(header(response.headers(), "set-cookie"), cookie);
    let page = node.get(page);
    assert_eq!(page.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn only_the_share_target_accepts_requests_that_no_page_has_made() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let upload = upload.short_id;
    let message = json!({"content": "a", "clientMessageID": "m"});
    let upgrade = node
        .get("/api/socket")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", "tonesa.v1");
    for request in [
        node.post(&format!("/api/uploads/{upload}/messages"))
            .json(&message),
        node.post(&format!("/u/{upload}/messages"))
            .form(&[("content", "a")]),
        upgrade,
    ] {
        let request = request.header("origin", "null");
        let response = request.header("sec-fetch-site", "none").send().await;
        problem(response.unwrap(), 403, "foreign-origin").await;
    }
}
