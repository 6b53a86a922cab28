//! What a page may do, told to the browser.

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

/// Sets the headers of a page whose scripts and styles carry this nonce.
pub(super) fn set_headers(headers: &mut HeaderMap, nonce: &str) {
    if let Ok(policy) = content_security_policy(nonce).parse() {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
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
}

fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'nonce-{nonce}'; \
         script-src 'strict-dynamic' 'nonce-{nonce}' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    )
}
