//! Conditional requests (RFC 9110, section 13).

use headers::{ETag, HeaderMapExt, IfMatch, IfNoneMatch};
use http::{HeaderMap, header};

/// Whether a read asks for another version than there is (412): its `If-Match` names none of the entity tags of what is
/// there now, or cannot be read.
pub fn is_another_asked_for(request: &HeaderMap, etags: &[&ETag]) -> bool {
    let wanted = request.typed_get::<IfMatch>();
    request.contains_key(header::IF_MATCH)
        && !wanted.is_some_and(|wanted| etags.iter().any(|etag| wanted.precondition_passes(etag)))
}

/// Whether the client has this version already (304), by its `If-None-Match`.
pub fn is_known(request: &HeaderMap, etag: &ETag) -> bool {
    request
        .typed_get::<IfNoneMatch>()
        .is_some_and(|known| !known.precondition_passes(etag))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn if_match_is_compared_strongly_and_what_cannot_be_read_matches_nothing() {
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
            let asked = is_another_asked_for(&request, &[&one, &other]);
            assert_eq!(asked, is_another, "{value:?}");
        }
        assert!(!is_another_asked_for(&HeaderMap::new(), &[&one]));
    }
}
