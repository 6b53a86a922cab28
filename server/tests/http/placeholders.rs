//! The tiny picture in the page, which stands blurred until the picture has loaded.

use std::fs;
use std::path::Path;

use app::model::{ShortId, Upload};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::StatusCode;
use server::blob::{BlobError, Derived};

use crate::common::{TestNode, pictures};

fn sample(name: &str) -> Vec<u8> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end/images");
    fs::read(images.join(name)).unwrap()
}

async fn upload(node: &TestNode, bytes: Vec<u8>) -> Upload {
    let response = node.upload(bytes).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    response.json().await.unwrap()
}

/// What the page says of a placeholder.
async fn in_page(node: &TestNode, id: ShortId) -> Option<String> {
    let page = node.get(&format!("/u/{id}")).send().await.unwrap();
    let page = page.text().await.unwrap();
    let (_, styles) = page.split_once("<style>")?;
    let (style, _) = styles.split_once("</style>")?;
    Some(style.to_owned())
}

/// Waits until the page has a placeholder, and returns what it says.
async fn comes_into_page(node: &TestNode, id: ShortId) -> String {
    let has = async || in_page(node, id).await.is_some();
    node.wait_until("the page has a placeholder", has).await;
    in_page(node, id).await.unwrap()
}

/// The size of the placeholder that is kept in the blob store, in bytes.
async fn kept(node: &TestNode, id: ShortId) -> Option<u64> {
    match node.node.blobs.read_derived(id, Derived::Placeholder).await {
        Ok((size, _)) => Some(size),
        Err(error) => {
            assert_eq!(error, BlobError::NotFound);
            None
        }
    }
}

#[tokio::test]
async fn a_page_contains_a_tiny_picture_of_its_upload() {
    let node = TestNode::start().await;
    for (name, size) in [
        ("24-megapixels.jpg", (24, 16)),
        // It is turned upright, and its colour profile is longer than 1 kB.
        ("phone-rotated-gps.jpg", (24, 16)),
        ("coffee.png", (24, 16)),
        ("progressive.jpg", (24, 21)),
    ] {
        let id = upload(&node, sample(name)).await.short_id;
        let style = comes_into_page(&node, id).await;
        assert!(style.len() < 1_000, "{name}: {} bytes", style.len());
        let rule = format!("img[src=\"/i/{id}\"]{{--placeholder:url(data:image/jpeg;base64,");
        let data = style.strip_prefix(&rule).unwrap();
        let jpeg = BASE64.decode(data.strip_suffix(")}").unwrap()).unwrap();
        let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(jpeg));
        decoder.decode().unwrap();
        let info = decoder.info().unwrap();
        assert_eq!((info.width, info.height), size, "{name}");
    }
}

#[tokio::test]
async fn it_is_made_when_a_picture_is_uploaded() {
    let node = TestNode::start().await;
    let id = upload(&node, sample("progressive.jpg")).await.short_id;
    node.placeholder_is_kept(id).await;
    assert!(in_page(&node, id).await.is_some(), "the first page has it");
}

/// A client may have pictures made once a minute here, and nobody has asked for these.
#[tokio::test]
async fn it_counts_against_no_clients_rate() {
    let node = TestNode::with(&[("TONESA_PICTURES_PER_MINUTE", "1")]).await;
    for name in ["progressive.jpg", "24-megapixels.jpg"] {
        let id = upload(&node, sample(name)).await.short_id;
        node.placeholder_is_kept(id).await;
    }
}

#[tokio::test]
async fn one_that_was_never_made_comes_into_later_pages() {
    let node = TestNode::start().await;
    let id = upload(&node, sample("progressive.jpg")).await.short_id;
    node.placeholder_is_kept(id).await;
    fs::remove_dir_all(node.folder.path().join("data/images/derived")).unwrap();
    assert_eq!(in_page(&node, id).await, None);
    comes_into_page(&node, id).await;
}

#[tokio::test]
async fn transparent_and_animated_pictures_and_small_files_have_none() {
    let node = TestNode::start().await;
    for tried in [
        pictures::transparent_png(200, 100),
        sample("transparent.webp"),
        sample("animated.webp"),
    ] {
        let id = upload(&node, tried).await.short_id;
        node.placeholder_is_kept(id).await;
        assert_eq!(kept(&node, id).await, Some(0));
        assert_eq!(in_page(&node, id).await, None);
    }
    for untried in [sample("animated.gif"), pictures::png(300, 200)] {
        let id = upload(&node, untried).await.short_id;
        assert_eq!(in_page(&node, id).await, None);
        assert_eq!(kept(&node, id).await, None);
    }
}

#[tokio::test]
async fn a_deleted_upload_takes_it_along() {
    let node = TestNode::start().await;
    let form = crate::common::file_form(sample("progressive.jpg"));
    let owner = "0123456789abcdef-owner";
    let post = node.post("/api/uploads").multipart(form).bearer_auth(owner);
    let upload: Upload = post.send().await.unwrap().json().await.unwrap();
    let id = upload.short_id;
    comes_into_page(&node, id).await;
    let delete = node.delete(&format!("/api/uploads/{id}"));
    let deleted = delete.bearer_auth(owner).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(in_page(&node, id).await, None);
    let is_removed = async || kept(&node, id).await.is_none();
    node.wait_until("it is removed", is_removed).await;
}
