//! What a page may do, told to the browser.

use http::header::{self, HeaderName, HeaderValue};
use leptos::nonce::use_nonce;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// Sets the headers of the page that is being rendered; its scripts carry the nonce.
pub(super) fn set_headers() {
    let Some(response) = use_context::<ResponseOptions>() else {
        return;
    };
    let nonce = use_nonce()
        .map(|nonce| nonce.to_string())
        .unwrap_or_default();
    if let Ok(policy) = content_security_policy(&nonce).parse() {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ] {
        response.insert_header(
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
