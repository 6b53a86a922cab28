//! The image itself: immutable, so its id is as good an entity tag as any hash.

use std::ops::Range;
use std::sync::Arc;

use app::model::{MediaType, Upload};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use headers::{AcceptRanges, ContentLength, ContentRange, ETag, HeaderMapExt, IfRange};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use crate::admission::response_budget::ResponseBudget;
use crate::blob::{Address, Blobs, Labels};
use crate::http::conditions;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::client_address::Arrival;
use crate::http::extract::upload_path::Named;
use crate::store::Store;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Whatever a decoder of the browser makes of the bytes, it makes it without any rights.
const NO_RIGHTS: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// A link is for those it was given to: search engines list what they find elsewhere, so they are asked not to. And
/// whoever has the link may show the image on a page of their own, also on one that demands such a permission of
/// everything in it (`Cross-Origin-Embedder-Policy`).
const FOR_WHOEVER_HAS_THE_LINK: [(HeaderName, HeaderValue); 2] = [
    (ROBOTS, HeaderValue::from_static("noindex")),
    (RESOURCE_POLICY, HeaderValue::from_static("cross-origin")),
];
pub(super) const RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// `GET /i/{id}`.
pub async fn show(
    State(store): State<Arc<dyn Store>>,
    State(blobs): State<Arc<dyn Blobs>>,
    State(answers): State<ResponseBudget>,
    arrival: Arrival,
    Named(id): Named,
    method: Method,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    let deadline = Deadline::start();
    let upload = deadline.wait("store", store.upload(id)).await?;
    let size = upload.content.size;
    let mut headers = headers_of(&upload);
    let etag = etag_of(&upload);
    if conditions::is_another_asked_for(&request, &[&etag]) {
        return Err(ApiError::PreconditionFailed);
    }
    if conditions::is_known(&request, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let labels = labels_of(&headers);
    let address = blobs.address(upload.short_id, &method, labels);
    if let Some(address) = deadline.wait("blobs", address).await? {
        return Ok(elsewhere(&address));
    }
    // Ranges are defined for GET alone (RFC 9110, section 14.2).
    let requested = match method {
        Method::GET => requested_range(&request, &etag, size),
        _ => Requested::Whole,
    };
    let (status, range) = match requested {
        Requested::Whole => (StatusCode::OK, 0..size),
        Requested::Part(range) => {
            headers.extend(content_range(range.clone(), size));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Requested::Nothing => {
            let mut refusal = ApiError::RangeNotSatisfiable.into_response();
            let whole = ContentRange::unsatisfied_bytes(size);
            refusal.headers_mut().typed_insert(whole);
            return Ok(refusal);
        }
    };
    headers.typed_insert(ContentLength(range.end - range.start));
    if method == Method::HEAD {
        return Ok((status, headers).into_response());
    }
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let unread = length.min(blobs.unread());
    let room = answers.reserve(arrival.client.counted(), unread)?;
    let bytes = blobs.read(upload.short_id, range);
    let bytes = room.hold_stream(deadline.wait("blobs", bytes).await?);
    Ok((status, headers, Body::from_stream(bytes)).into_response())
}

/// What of the headers an address of the image's own can carry.
fn labels_of(headers: &HeaderMap) -> Labels<'_> {
    let text = |name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    Labels {
        content_type: text(header::CONTENT_TYPE),
        content_disposition: text(header::CONTENT_DISPOSITION),
        cache_control: text(header::CACHE_CONTROL),
    }
}

/// Whoever keeps this answer for as long as it says still meets an address that is good.
fn elsewhere(address: &Address) -> Response {
    let keep = format!("public, max-age={}", address.lasts.as_secs() / 2);
    (
        FOR_WHOEVER_HAS_THE_LINK,
        [(header::CACHE_CONTROL, keep)],
        Redirect::temporary(&address.url),
    )
        .into_response()
}

fn etag_of(upload: &Upload) -> ETag {
    format!("\"{}\"", upload.id)
        .parse()
        .expect("quoted hexadecimal digits are an entity tag")
}

fn headers_of(upload: &Upload) -> HeaderMap {
    let media_type = upload.content.media_type;
    let file_name = format!("{}.{}", upload.short_id, extension(media_type));
    let mut headers = HeaderMap::new();
    headers.typed_insert(etag_of(upload));
    headers.typed_insert(AcceptRanges::bytes());
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media_type.as_str()),
    );
    headers.insert(header::CACHE_CONTROL, IMMUTABLE);
    headers.insert(header::CONTENT_SECURITY_POLICY, NO_RIGHTS);
    headers.extend(FOR_WHOEVER_HAS_THE_LINK);
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

/// What of the image is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Requested {
    Whole,
    Part(Range<u64>),
    /// A range that lies behind the end.
    Nothing,
}

/// One range is served as asked; several at once, another unit or an unreadable header get the whole (RFC 9110,
/// section 14.2). So does a range of something that has changed since.
fn requested_range(request: &HeaderMap, etag: &ETag, size: u64) -> Requested {
    let is_same = !request.contains_key(header::IF_RANGE)
        || request
            .typed_get::<IfRange>()
            .is_some_and(|same| !same.is_modified(Some(etag), None));
    let range = request.get(header::RANGE).filter(|_| is_same);
    range
        .and_then(|value| parse_range(value.to_str().ok()?, size))
        .unwrap_or(Requested::Whole)
}

/// Reads `bytes=2-4`, `bytes=2-` and `bytes=-3`.
fn parse_range(text: &str, size: u64) -> Option<Requested> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", suffix) => (size.saturating_sub(whole_number(suffix)?), size),
        (first, "") => (whole_number(first)?, size),
        (first, last) => {
            let (first, last) = (whole_number(first)?, whole_number(last)?);
            let forwards = first <= last;
            forwards.then_some((first, last.saturating_add(1).min(size)))?
        }
    };
    Some(if start < end {
        Requested::Part(start..end)
    } else {
        Requested::Nothing
    })
}

/// Digits only: `parse` alone would take a sign too.
fn whole_number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn content_range(range: Range<u64>, size: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(range) = ContentRange::bytes(range, size) {
        headers.typed_insert(range);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let etag: ETag = "\"a\"".parse().unwrap();
        for (value, expected) in [
            ("bytes=0-0", Requested::Part(0..1)),
            ("bytes=2-4", Requested::Part(2..5)),
            ("bytes=4-", Requested::Part(4..10)),
            ("bytes=9-99", Requested::Part(9..10)),
            ("bytes=-3", Requested::Part(7..10)),
            ("bytes=-99", Requested::Part(0..10)),
            ("bytes=10-", Requested::Nothing),
            ("bytes=10-12", Requested::Nothing),
            ("bytes=-0", Requested::Nothing),
            ("bytes=0-1,4-5", Requested::Whole),
            ("lines=0-1", Requested::Whole),
            ("bytes", Requested::Whole),
            ("bytes=", Requested::Whole),
            ("bytes=-", Requested::Whole),
            ("bytes=4-2", Requested::Whole),
            ("bytes=+1-2", Requested::Whole),
            ("bytes=99999999999999999999-", Requested::Whole),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(value))]);
            assert_eq!(requested_range(&headers, &etag, 10), expected, "{value}");
        }
    }
}
