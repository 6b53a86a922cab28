//! The image itself. It never changes, so its id serves as the entity tag.

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
use crate::blob::{Blobs, PresignedUrl, ResponseHeaders};
use crate::http::conditions;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;
use crate::store::Store;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// If a browser interprets the bytes as a document, that has no rights.
const SANDBOX_POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// Search engines are asked not to list the image, since links are meant for those they were given to. Anyone who has
/// the link may embed it in a page of their own, even in one with `Cross-Origin-Embedder-Policy`.
const SHARING_HEADERS: [(HeaderName, HeaderValue); 2] = [
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
    State(budget): State<ResponseBudget>,
    info: RequestInfo,
    UploadPath(id): UploadPath,
    method: Method,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    let deadline = Deadline::start();
    let upload = deadline.wait("store", store.upload(id)).await?;
    let size = upload.content.size;
    let mut headers = image_headers(&upload);
    let etag = etag_of(&upload);
    if conditions::is_precondition_failed(&request, &[&etag]) {
        return Err(ApiError::PreconditionFailed);
    }
    if conditions::is_not_modified(&request, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let presigned = presigned_headers(&headers);
    let url = blobs.presigned_url(upload.short_id, &method, presigned);
    if let Some(url) = deadline.wait("blobs", url).await? {
        return Ok(redirect(&url));
    }
    // Ranges are defined for GET alone (RFC 9110, section 14.2).
    let requested = match method {
        Method::GET => requested_range(&request, &etag, size),
        _ => RequestedRange::Whole,
    };
    let (status, range) = match requested {
        RequestedRange::Whole => (StatusCode::OK, 0..size),
        RequestedRange::Part(range) => {
            headers.extend(content_range(range.clone(), size));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        RequestedRange::Unsatisfiable => {
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
    let buffered = length.min(blobs.read_buffer_bytes());
    let reservation = budget.reserve(info.client.counted(), buffered)?;
    let bytes = blobs.read(upload.short_id, range);
    let bytes = reservation.hold_stream(deadline.wait("blobs", bytes).await?);
    Ok((status, headers, Body::from_stream(bytes)).into_response())
}

/// Returns those of the headers that a presigned URL can set.
fn presigned_headers(headers: &HeaderMap) -> ResponseHeaders<'_> {
    let text = |name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    ResponseHeaders {
        content_type: text(header::CONTENT_TYPE),
        content_disposition: text(header::CONTENT_DISPOSITION),
        cache_control: text(header::CACHE_CONTROL),
    }
}

/// Redirects to the URL. A cache may keep the redirect for half of the URL's lifetime, so that the URL is still valid
/// then.
fn redirect(presigned: &PresignedUrl) -> Response {
    let cache_control = format!("public, max-age={}", presigned.valid_for.as_secs() / 2);
    (
        SHARING_HEADERS,
        [(header::CACHE_CONTROL, cache_control)],
        Redirect::temporary(&presigned.url),
    )
        .into_response()
}

fn etag_of(upload: &Upload) -> ETag {
    format!("\"{}\"", upload.id)
        .parse()
        .expect("quoted hexadecimal digits are an entity tag")
}

fn image_headers(upload: &Upload) -> HeaderMap {
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
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX_POLICY);
    headers.extend(SHARING_HEADERS);
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

/// Which part of the image is requested.
#[derive(Debug, PartialEq, Eq)]
enum RequestedRange {
    Whole,
    Part(Range<u64>),
    /// A range after the end.
    Unsatisfiable,
}

/// Returns the range that `Range` and `If-Range` ask for. Several ranges, another unit, an invalid header or a range of
/// another version get the whole image (RFC 9110, section 14.2).
fn requested_range(request: &HeaderMap, etag: &ETag, size: u64) -> RequestedRange {
    let is_same = !request.contains_key(header::IF_RANGE)
        || request
            .typed_get::<IfRange>()
            .is_some_and(|same| !same.is_modified(Some(etag), None));
    let range = request.get(header::RANGE).filter(|_| is_same);
    range
        .and_then(|value| parse_range(value.to_str().ok()?, size))
        .unwrap_or(RequestedRange::Whole)
}

/// Parses `bytes=2-4`, `bytes=2-` and `bytes=-3`.
fn parse_range(text: &str, size: u64) -> Option<RequestedRange> {
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
        RequestedRange::Part(start..end)
    } else {
        RequestedRange::Unsatisfiable
    })
}

/// Parses digits only: `parse` alone would accept a sign.
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
    fn ranges_are_parsed_as_in_rfc_9110() {
        let etag: ETag = "\"a\"".parse().unwrap();
        for (value, expected) in [
            ("bytes=0-0", RequestedRange::Part(0..1)),
            ("bytes=2-4", RequestedRange::Part(2..5)),
            ("bytes=4-", RequestedRange::Part(4..10)),
            ("bytes=9-99", RequestedRange::Part(9..10)),
            ("bytes=-3", RequestedRange::Part(7..10)),
            ("bytes=-99", RequestedRange::Part(0..10)),
            ("bytes=10-", RequestedRange::Unsatisfiable),
            ("bytes=10-12", RequestedRange::Unsatisfiable),
            ("bytes=-0", RequestedRange::Unsatisfiable),
            ("bytes=0-1,4-5", RequestedRange::Whole),
            ("lines=0-1", RequestedRange::Whole),
            ("bytes", RequestedRange::Whole),
            ("bytes=", RequestedRange::Whole),
            ("bytes=-", RequestedRange::Whole),
            ("bytes=4-2", RequestedRange::Whole),
            ("bytes=+1-2", RequestedRange::Whole),
            ("bytes=99999999999999999999-", RequestedRange::Whole),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(value))]);
            assert_eq!(requested_range(&headers, &etag, 10), expected, "{value}");
        }
    }
}
