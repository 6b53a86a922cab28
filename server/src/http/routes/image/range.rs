//! The part of the image that a request asks for.

use std::ops::Range;

use headers::{ContentRange, ETag, HeaderMapExt, IfRange};
use http::header::{self, HeaderMap};

/// Which part of the image is requested.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RequestedRange {
    Whole,
    Part(Range<u64>),
    /// A range after the end.
    Unsatisfiable,
}

/// Returns the range that `Range` and `If-Range` ask for. Several ranges, another unit, an invalid header or a range of
/// another version get the whole image (RFC 9110, section 14.2).
pub(super) fn requested_range(request: &HeaderMap, etag: &ETag, size: u64) -> RequestedRange {
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

pub(super) fn content_range(range: Range<u64>, size: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(range) = ContentRange::bytes(range, size) {
        headers.typed_insert(range);
    }
    headers
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

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
