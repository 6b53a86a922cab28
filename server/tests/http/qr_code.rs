//! The QR code of an upload's link (protocol.md: `GET /u/{shortID}/qr.svg`).

use crate::common::{TestNode, header, problem};
use qrcode::QrCode;
use qrcode::render::svg;
use reqwest::StatusCode;

#[tokio::test]
async fn the_code_contains_the_link_to_the_page() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let response = |id: String| node.get(&format!("/u/{id}/qr.svg")).send();
    let code = response(upload.short_id.to_string()).await.unwrap();
    assert_eq!(code.status(), StatusCode::OK);
    assert_eq!(header(code.headers(), "content-type"), "image/svg+xml");
    let cache_control = header(code.headers(), "cache-control");
    assert_eq!(cache_control, "public, max-age=3600, s-maxage=60");
    // Otherwise one with a forged host could get into a shared cache.
    let vary = "accept-encoding, x-forwarded-host, x-forwarded-proto";
    assert_eq!(header(code.headers(), "vary"), vary);
    assert_eq!(header(code.headers(), "x-robots-tag"), "noindex");
    let code = code.text().await.unwrap();
    assert_eq!(code, drawing_of(&node.base(), &upload.short_id.to_string()));
    // Black on white, whatever the theme.
    assert!(
        code.contains("fill=\"#fff\"") && code.contains("fill=\"#000\""),
        "{code}"
    );
    let by_long_id = response(upload.id.to_string()).await.unwrap();
    assert_eq!(by_long_id.text().await.unwrap(), code);
}

#[tokio::test]
async fn the_code_names_the_public_url() {
    let node = TestNode::with(&[("PUBLIC_URL", "https://tonesa.example")]).await;
    let id = node.uploaded().await.short_id.to_string();
    let code = node.get(&format!("/u/{id}/qr.svg")).send().await.unwrap();
    assert_eq!(header(code.headers(), "vary"), "accept-encoding");
    let expected = drawing_of("https://tonesa.example", &id);
    assert_eq!(code.text().await.unwrap(), expected);
}

#[tokio::test]
async fn a_known_code_is_not_sent_again() {
    let node = TestNode::start().await;
    let path = format!("/u/{}/qr.svg", node.uploaded().await.short_id);
    let first = node.get(&path).send().await.unwrap();
    let etag = header(first.headers(), "etag").to_owned();
    let again = node.get(&path).header("if-none-match", &etag);
    let again = again.send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(header(again.headers(), "etag"), etag);
}

#[tokio::test]
async fn an_unknown_upload_has_no_code() {
    let node = TestNode::start().await;
    for id in ["AAAAAAAA", "0123456789abcdef01234567", "nonsense!"] {
        let code = node.get(&format!("/u/{id}/qr.svg")).send().await.unwrap();
        problem(code, 404, "not-found").await;
    }
}

fn drawing_of(origin: &str, id: &str) -> String {
    let code = QrCode::new(format!("{origin}/u/{id}")).unwrap();
    code.render::<svg::Color<'_>>().build()
}
