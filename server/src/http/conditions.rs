//! Conditional requests (RFC 9110, section 13).

use headers::{ETag, HeaderMapExt, IfMatch, IfNoneMatch};
use http::{HeaderMap, header};

/// Returns whether a read must be answered 412: its `If-Match` names none of these entity tags, or is invalid.
pub fn is_precondition_failed(request: &HeaderMap, etags: &[&ETag]) -> bool {
    let wanted = request.typed_get::<IfMatch>();
    request.contains_key(header::IF_MATCH)
        && !wanted.is_some_and(|wanted| etags.iter().any(|etag| wanted.precondition_passes(etag)))
}

/// Returns whether a read can be answered 304: its `If-None-Match` names this entity tag.
pub fn is_not_modified(request: &HeaderMap, etag: &ETag) -> bool {
    request
        .typed_get::<IfNoneMatch>()
        .is_some_and(|known| !known.precondition_passes(etag))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn if_match_compares_strongly_and_an_invalid_one_matches_nothing() {
        let (one, other): (ETag, ETag) = ("\"a\"".parse().unwrap(), "\"b\"".parse().unwrap());
        for (value, is_another) in [
            ("\"a\"", false),
            ("*", false),
            ("\"x\", \"b\"", false),
            ("W/\"a\"", true),
            ("\"x\"", true),
            ("nonsense", true),
            ("", true),
        ] {
            let value = HeaderValue::from_static(value);
            let request = HeaderMap::from_iter([(header::IF_MATCH, value.clone())]);
            let asked = is_precondition_failed(&request, &[&one, &other]);
            assert_eq!(asked, is_another, "{value:?}");
        }
        assert!(!is_precondition_failed(&HeaderMap::new(), &[&one]));
    }
}
