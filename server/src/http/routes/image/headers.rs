//! The headers of images.

use app::model::{MediaType, Upload};
use headers::ETag;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::http::default_headers::RESOURCE_POLICY;

/// A browser that has the image keeps it. A shared cache asks again after a minute.
const CACHE_CONTROL: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, s-maxage=60, immutable");
/// If a browser interprets the bytes as a document, that has no rights.
const SANDBOX_POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// Anyone who has the link may embed the image in a page of their own, even in one with `Cross-Origin-Embedder-Policy`.
pub(super) const MAY_BE_EMBEDDED: (HeaderName, HeaderValue) =
    (RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));

/// Returns the entity tag of these letters, digits and hyphens.
pub(super) fn etag_of(text: &str) -> ETag {
    format!("\"{text}\"")
        .parse()
        .expect("quoted letters, digits and hyphens are an entity tag")
}

/// Returns the headers that the image and smaller pictures have; `suffix` is for the name under which it is saved.
pub(super) fn image_headers(upload: &Upload, media_type: MediaType, suffix: &str) -> HeaderMap {
    let file_name = format!("{}{suffix}.{}", upload.short_id, extension(media_type));
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media_type.as_str()),
    );
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX_POLICY);
    headers.extend([MAY_BE_EMBEDDED]);
    if let Ok(inline) = format!("inline; filename=\"{file_name}\"").parse() {
        headers.insert(header::CONTENT_DISPOSITION, inline);
    }
    headers
}

fn extension(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Png => "png",
        MediaType::Jpeg => "jpg",
        MediaType::Gif => "gif",
        MediaType::WebP => "webp",
    }
}
