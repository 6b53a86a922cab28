//! `/i/{id}?w=…` and `/i/{id}/preview.jpg`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use app::model::{Content, Upload};
use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt};
use reqwest::{Response, StatusCode};

use crate::common::faults::{Mode, Switches};
use crate::common::program::Program;
use crate::common::{TestNode, file_form, header, pictures, problem};

const METRICS: (&str, &str) = ("METRICS_PORT", "0");

fn sample(name: &str) -> Vec<u8> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end/images");
    fs::read(images.join(name)).unwrap()
}

async fn upload(node: &TestNode, bytes: Vec<u8>) -> Upload {
    let response = node.upload(bytes).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    response.json().await.unwrap()
}

async fn get(node: &TestNode, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = node.get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn bytes(node: &TestNode, path: &str) -> Vec<u8> {
    let response = get(node, path, &[]).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.bytes().await.unwrap().to_vec()
}

/// How many pictures were made with this outcome.
async fn made(node: &TestNode, outcome: &str) -> u64 {
    let url = format!("http://{}/metrics", node.metrics.unwrap());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let series = format!("tonesa_images_resized_total{{outcome=\"{outcome}\"}}");
    let value = text.lines().find_map(|line| line.strip_prefix(&series));
    value.map_or(0, |value| value.trim().parse().unwrap())
}

fn size_of_jpeg(bytes: &[u8]) -> (u16, u16) {
    let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes));
    decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    (info.width, info.height)
}

#[tokio::test]
async fn each_width_is_served_with_the_headers_of_the_image() {
    let node = TestNode::start().await;
    let photo = upload(&node, sample("phone-rotated-gps.jpg")).await;
    for (width, height) in [(640, 427), (1280, 853), (2560, 1707)] {
        let path = format!("/i/{}?w={width}", photo.short_id);
        let response = get(&node, &path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        let file_name = format!("inline; filename=\"{}-{width}.jpg\"", photo.short_id);
        for (name, value) in [
            ("content-type", "image/jpeg"),
            (
                "cache-control",
                "public, max-age=31536000, s-maxage=60, immutable",
            ),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("x-robots-tag", "noindex"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("content-disposition", &file_name),
        ] {
            assert_eq!(header(response.headers(), name), value, "{name}");
        }
        let length = header(response.headers(), "content-length").to_owned();
        let picture = response.bytes().await.unwrap();
        assert_eq!(picture.len().to_string(), length);
        assert!((picture.len() as u64) < photo.content.size);
        // It is displayed upright, and its colours mean the same.
        assert_eq!(size_of_jpeg(&picture), (width, height));
        let profile = b"ICC_PROFILE\0";
        assert!(picture.windows(profile.len()).any(|part| part == profile));
        // The stored one is the same.
        assert_eq!(bytes(&node, &path).await, picture);
    }
}

#[tokio::test]
async fn other_widths_are_refused() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for query in [
        "w=641",
        "w=0",
        "w=",
        "w=-640",
        "w=640.0",
        "w=99999999999",
        "w=640&w=640",
    ] {
        let response = get(&node, &format!("{}?{query}", upload.content.url), &[]).await;
        let problem = problem(response, 422, "bad-field").await;
        assert_eq!(problem["field"], "w", "{query}");
    }
    let other = format!("{}?width=1", upload.content.url);
    assert_eq!(bytes(&node, &other).await, pictures::png(3, 2));
    for path in ["/i/AAAAAAAA?w=640", "/i/AAAAAAAA/preview.jpg"] {
        problem(get(&node, path, &[]).await, 404, "not-found").await;
    }
}

#[tokio::test]
async fn a_photo_as_a_png_is_also_served_in_its_own_width() {
    let node = TestNode::start().await;
    let photo = upload(&node, sample("coffee.png")).await;
    let path = format!("{}?w=640", photo.content.url);
    let response = get(&node, &path, &[]).await;
    assert_eq!(header(response.headers(), "content-type"), "image/jpeg");
    let picture = response.bytes().await.unwrap();
    assert_eq!(size_of_jpeg(&picture), (600, 400));
    assert!(picture.len() as u64 <= photo.content.size / 2);
}

#[tokio::test]
async fn where_a_jpeg_would_not_be_half_as_large_the_image_is_named() {
    let node = TestNode::start().await;
    let noise = upload(&node, pictures::large_indexed_png(250_000)).await;
    let all = Content::SMALLER_WIDTHS.into_iter();
    let width = all.filter(|width| *width >= noise.content.width).min();
    let path = format!("{}?w={}", noise.content.url, width.unwrap());
    let response = get(&node, &path, &[]).await;
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(header(response.headers(), "location"), noise.content.url);
    assert_eq!(header(response.headers(), "cache-control"), "no-cache");
}

#[tokio::test]
async fn what_is_no_wider_and_animations_are_served_as_they_are() {
    let node = TestNode::with(&[METRICS]).await;
    for (name, widths) in [
        ("coffee.png", &[1280, 2560][..]),
        ("progressive.jpg", &[1280, 2560]),
        ("16-bit-grey.png", &[640]),
        ("animated.gif", &[640]),
    ] {
        let image = upload(&node, sample(name)).await;
        let whole = get(&node, &image.content.url, &[]).await;
        let etag = header(whole.headers(), "etag").to_owned();
        let whole = whole.bytes().await.unwrap();
        for width in widths {
            let path = format!("{}?w={width}", image.content.url);
            let response = get(&node, &path, &[]).await;
            assert_eq!(header(response.headers(), "etag"), etag, "{name}");
            assert_eq!(response.bytes().await.unwrap(), whole, "{name}");
        }
    }
    assert_eq!(made(&node, "impossible").await, 0);
    // Only the decoder knows that this one is animated.
    let image = upload(&node, animated_webp(700)).await;
    for _ in 0..2 {
        let path = format!("{}?w=640", image.content.url);
        assert_eq!(bytes(&node, &path).await.len() as u64, image.content.size);
    }
    assert_eq!(made(&node, "impossible").await, 1);
}

/// Makes a WebP of two frames.
fn animated_webp(width: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let len = u32::try_from(data.len()).unwrap().to_le_bytes();
        let padding = vec![0; data.len() % 2];
        [&kind[..], &len, data, &padding].concat()
    };
    let still = pictures::webp(width, 2);
    let canvas = [&(width - 1).to_le_bytes()[..3], &1_u32.to_le_bytes()[..3]].concat();
    let frame = [&[0; 6][..], &canvas, &[100, 0, 0, 0], &still[12..]].concat();
    let frame = chunk(b"ANMF", &frame);
    let chunks = [
        chunk(b"VP8X", &[&[2, 0, 0, 0][..], &canvas].concat()),
        chunk(b"ANIM", &[0; 6]),
        frame.clone(),
        frame,
    ]
    .concat();
    chunk(b"RIFF", &[b"WEBP", &chunks[..]].concat())
}

#[tokio::test]
async fn a_transparent_image_becomes_a_webp() {
    let node = TestNode::start().await;
    let image = upload(&node, pictures::transparent_png(700, 300)).await;
    let response = get(&node, &format!("{}?w=640", image.content.url), &[]).await;
    let headers = response.headers();
    assert_eq!(header(headers, "content-type"), "image/webp");
    assert!(header(headers, "content-disposition").ends_with("-640.webp\""));
    assert!(response.bytes().await.unwrap().starts_with(b"RIFF"));
}

#[tokio::test]
async fn the_preview_fits_and_is_small() {
    let node = TestNode::start().await;
    for (name, size) in [
        ("phone-rotated-gps.jpg", (945, 630)),
        ("coffee.png", (600, 400)),
        ("animated.gif", (320, 214)),
    ] {
        let image = upload(&node, sample(name)).await;
        let path = format!("/i/{}/preview.jpg", image.short_id);
        let response = get(&node, &path, &[]).await;
        assert_eq!(header(response.headers(), "content-type"), "image/jpeg");
        let preview = response.bytes().await.unwrap();
        assert!(preview.len() <= 300_000);
        assert_eq!(size_of_jpeg(&preview), size, "{name}");
    }
    let noise = upload(&node, pictures::large_png(1_500_000)).await;
    let preview = bytes(&node, &format!("/i/{}/preview.jpg", noise.short_id)).await;
    assert!(preview.starts_with(b"\xff\xd8") && preview.len() <= 300_000);
}

#[tokio::test]
async fn the_page_names_the_preview_with_its_size() {
    let node = TestNode::start().await;
    let image = upload(&node, sample("progressive.jpg")).await;
    let page = bytes(&node, &format!("/u/{}", image.short_id)).await;
    let page = String::from_utf8(page).unwrap();
    let preview = format!("http://{}/i/{}/preview.jpg", node.address, image.short_id);
    for (property, content) in [
        ("og:image", preview.as_str()),
        ("og:image:type", "image/jpeg"),
        ("og:image:width", "722"),
        ("og:image:height", "630"),
    ] {
        let tag = format!("<meta property=\"{property}\" content=\"{content}\">");
        assert!(page.contains(&tag), "{tag}");
    }
    assert!(page.contains(&format!("name=\"twitter:image\" content=\"{preview}\"")));
    let path = format!("/i/{}/preview.jpg", image.short_id);
    assert_eq!(size_of_jpeg(&bytes(&node, &path).await), (722, 630));
}

#[tokio::test]
async fn entity_tags_differ_and_known_pictures_are_not_sent_again() {
    let node = TestNode::with(&[METRICS]).await;
    let image = upload(&node, sample("progressive.jpg")).await;
    let preview = format!("/i/{}/preview.jpg", image.short_id);
    let paths = [format!("{}?w=640", image.content.url), preview];
    let mut etags = vec![format!("\"{}\"", image.id)];
    for path in &paths {
        let response = get(&node, path, &[]).await;
        let etag = header(response.headers(), "etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        assert!(!etags.contains(&etag));
        for headers in [
            &[("if-none-match", etag.as_str())][..],
            &[("if-none-match", &etag), ("if-match", &etag)],
        ] {
            let known = get(&node, path, headers).await;
            assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(header(known.headers(), "etag"), etag);
            assert!(known.bytes().await.unwrap().is_empty());
        }
        let original = etags[0].clone();
        for headers in [
            [("if-none-match", original.as_str())],
            [("if-match", &etag)],
        ] {
            assert_eq!(get(&node, path, &headers).await.status(), StatusCode::OK);
        }
        let refused = get(&node, path, &[("if-match", &original)]).await;
        problem(refused, 412, "precondition-failed").await;
        etags.push(etag);
    }
}

#[tokio::test]
async fn head_returns_the_headers_without_the_bytes() {
    let node = TestNode::start().await;
    let image = upload(&node, sample("progressive.jpg")).await;
    for path in [
        format!("{}?w=640", image.content.url),
        format!("/i/{}/preview.jpg", image.short_id),
    ] {
        let head = node.client.head(node.url(&path)).send().await.unwrap();
        assert_eq!(head.status(), StatusCode::OK);
        let whole = get(&node, &path, &[]).await;
        for name in ["content-length", "content-type", "etag", "cache-control"] {
            let value = header(head.headers(), name);
            assert!(!value.is_empty(), "{name}");
            assert_eq!(value, header(whole.headers(), name), "{name}");
        }
        assert!(head.bytes().await.unwrap().is_empty());
        // A range gets the whole picture.
        let part = get(&node, &path, &[("range", "bytes=0-1")]).await;
        assert_eq!(part.status(), StatusCode::OK);
        assert!(part.bytes().await.unwrap().len() > 2);
    }
}

#[tokio::test]
async fn concurrent_requests_make_a_picture_once() {
    let node = TestNode::with(&[METRICS]).await;
    let image = upload(&node, sample("progressive.jpg")).await;
    node.placeholder_is_kept(image.short_id).await;
    let path = format!("{}?w=640", image.content.url);
    let pictures = join_all((0..20).map(async |_| bytes(&node, &path).await)).await;
    assert!(pictures.iter().all(|picture| *picture == pictures[0]));
    assert_eq!(made(&node, "made").await, 1);
    bytes(&node, &path).await;
    assert_eq!(made(&node, "made").await, 1);
    node.temporary_files_are_removed().await;
    assert_eq!(node.blobs().await, 1);
}

#[tokio::test]
async fn a_picture_is_kept_over_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let folder = ("TONESA_DATA_DIR", data.path().to_str().unwrap());
    let client = reqwest::Client::new();
    let read = async |program: &Program, path: &str| {
        let response = client.get(program.url(path)).send().await.unwrap();
        (response.status(), response.bytes().await.unwrap())
    };
    let program = Program::start(&[folder]);
    let form = file_form(sample("progressive.jpg"));
    let response = client.post(program.url("/api/uploads")).multipart(form);
    let image: Upload = response.send().await.unwrap().json().await.unwrap();
    let path = format!("{}?w=640", image.content.url);
    let first = read(&program, &path).await;
    assert_eq!(first.0, StatusCode::OK);
    program.signal("TERM");
    assert_eq!(program.ended().0, Some(0));
    // Without the image none can be made.
    for entry in fs::read_dir(data.path().join("images")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().len() == 2 {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    let program = Program::start(&[folder]);
    let whole = read(&program, &image.content.url).await;
    assert_eq!(whole.0, StatusCode::NOT_FOUND);
    assert!(read(&program, &path).await == first);
}

#[tokio::test]
async fn a_picture_that_cannot_be_kept_is_served() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[METRICS], |backends| switches.wrap(backends)).await;
    let image = upload(&node, sample("progressive.jpg")).await;
    node.placeholder_is_kept(image.short_id).await;
    switches.blobs.set(Mode::Full);
    let path = format!("{}?w=640", image.content.url);
    let picture = bytes(&node, &path).await;
    assert_eq!(size_of_jpeg(&picture), (640, 558));
    // It is not made again at once: the image itself is served, until there is a picture.
    let instead = get(&node, &path, &[]).await;
    assert_eq!(header(instead.headers(), "cache-control"), "no-cache");
    assert_eq!(instead.bytes().await.unwrap(), sample("progressive.jpg"));
    assert_eq!(made(&node, "made").await, 1);
    switches.blobs.set(Mode::Unavailable);
    problem(get(&node, &path, &[]).await, 503, "unavailable").await;
    node.temporary_files_are_removed().await;
}

#[tokio::test]
async fn a_burst_of_different_pictures_is_refused() {
    let node = TestNode::with_scripts(&[METRICS]).await;
    // Accepts the image, and then takes long to make a smaller one.
    let script = r#"PATH=/bin:/usr/bin
        [ "$1" = resize-image ] && exec sleep 60
        echo "{\"Headers\":{\"media_type\":\"image/jpeg\",\"memory\":1}}"
        cp "$2" "$3"
        size=$(wc -c < "$3" | tr -d ' ')
        read line
        echo "{\"Inspected\":{\"media_type\":\"image/jpeg\",\"width\":3000,\"height\":2,\"size\":$size}}"
        "#;
    let mut paths = Vec::new();
    for _ in 0..6 {
        let image = upload(&node, script.into()).await;
        for width in [640, 1280, 2560] {
            paths.push(format!("{}?w={width}", image.content.url));
        }
    }
    let mut burst: FuturesUnordered<_> = paths.iter().map(|path| get(&node, path, &[])).collect();
    let refused = tokio::time::timeout(Duration::from_secs(4), burst.next()).await;
    let refused = refused.unwrap().unwrap();
    assert_eq!(header(refused.headers(), "retry-after"), "3");
    problem(refused, 429, "too-many-requests").await;
    // None is kept as impossible.
    assert_eq!(made(&node, "impossible").await, 0);
}
