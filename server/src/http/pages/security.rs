//! Security headers of pages.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::document::InlineSources;

/// The policy of a page without scripts, which needs its own style sheet, typeface and images only.
const NO_SCRIPTS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// Sets the security headers of a page. One without a policy gets that of a page without scripts.
pub fn set_security_headers(headers: &mut HeaderMap) {
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
        .or_insert(NO_SCRIPTS_POLICY);
}

/// Returns the policy of a page with scripts. Inline content is allowed by its hash, so that the page can be the same
/// for everyone. Images may come from `image_origin` too.
///
/// `'self'` executes nothing that people uploaded or wrote: images are sent as images and texts as JSON, both with
/// `nosniff`.
pub(super) fn content_security_policy(
    inline: &InlineSources,
    image_origin: Option<&str>,
) -> String {
    let image_origin = image_origin.map(|origin| format!(" {origin}"));
    let image_origin = image_origin.unwrap_or_default();
    let scripts = inline.scripts.join(" ");
    let styles = match &*inline.styles {
        [] => String::new(),
        // `unsafe-hashes` makes hashes apply to attributes too.
        sources => format!(" 'unsafe-hashes' {}", sources.join(" ")),
    };
    format!(
        "default-src 'none'; img-src 'self' blob: data:{image_origin}; style-src 'self'{styles}; font-src 'self'; \
         script-src 'self' {scripts} 'wasm-unsafe-eval'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}
