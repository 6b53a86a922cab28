//! What a page may do, told to the browser.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::document::Inline;

/// What a page without scripts needs: a style sheet and pictures of its own.
const NO_SCRIPTS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// Sets the headers of an answer that is a page. One that has no policy yet has no scripts.
pub fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(NO_SCRIPTS);
}

/// The policy of a page with scripts. What stands inline in it is allowed by its hash, so that the page can be the same
/// for all who ask. Its pictures may come from this origin too.
///
/// `'self'` runs nothing that people uploaded or wrote: images are sent as images and texts as JSON, both with
/// `nosniff`, and a browser runs neither.
pub(super) fn policy(inline: &Inline, pictures_from: Option<&str>) -> String {
    let pictures_from = pictures_from.map(|origin| format!(" {origin}"));
    let pictures_from = pictures_from.unwrap_or_default();
    let scripts = inline.scripts.join(" ");
    let styles = match &*inline.style_attributes {
        [] => String::new(),
        // It lets hashes allow attributes too.
        sources => format!(" 'unsafe-hashes' {}", sources.join(" ")),
    };
    format!(
        "default-src 'self'; img-src 'self' blob: data:{pictures_from}; style-src 'self'{styles}; \
         script-src 'self' {scripts} 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    )
}
