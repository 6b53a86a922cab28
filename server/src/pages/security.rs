//! What a page may do, told to the browser.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use leptos::nonce::use_nonce;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// What a page without scripts needs: a style sheet and pictures of its own.
const NO_SCRIPTS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// Sets the headers of an answer that is a page. One that was given no policy while it was rendered has no scripts.
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

/// Sets the policy of the page that is being rendered; its scripts carry the nonce. Its pictures may come from this
/// origin too.
pub(super) fn set_policy(pictures_from: Option<&str>) {
    let Some(response) = use_context::<ResponseOptions>() else {
        return;
    };
    let nonce = use_nonce()
        .map(|nonce| nonce.to_string())
        .unwrap_or_default();
    if let Ok(policy) = content_security_policy(&nonce, pictures_from).parse() {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

fn content_security_policy(nonce: &str, pictures_from: Option<&str>) -> String {
    let pictures_from = pictures_from.map(|origin| format!(" {origin}"));
    let pictures_from = pictures_from.unwrap_or_default();
    format!(
        "default-src 'self'; img-src 'self' blob: data:{pictures_from}; style-src 'self' 'nonce-{nonce}'; \
         script-src 'strict-dynamic' 'nonce-{nonce}' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    )
}
