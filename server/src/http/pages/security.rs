//! Security headers of pages.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::document::InlineSources;
use crate::config::Origins;

/// The policy of a page without scripts, which needs its own style sheet, typeface and images only, and images from
/// this origin.
fn no_scripts_policy(images: Option<&str>) -> Option<HeaderValue> {
    let images = images
        .map(|origin| format!(" {origin}"))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'{images}; manifest-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
}

/// Sets the security headers of a page without scripts, which shows images from this origin too, if it is given.
pub fn set_headers_without_scripts(headers: &mut HeaderMap, images: Option<&str>) {
    set_security_headers(headers);
    // Without an origin it is always valid.
    if let Some(policy) = no_scripts_policy(images).or_else(|| no_scripts_policy(None)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Sets the security headers of a page, beside its policy.
pub(super) fn set_security_headers(headers: &mut HeaderMap) {
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

/// What the policy of a page with scripts allows beside the page's own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OtherOrigins<'a> {
    /// Where images come from, beside the node.
    pub images: Option<&'a str>,
    /// Whose pages may show the page in a frame.
    pub frame_ancestors: Option<&'a Origins>,
}

/// Returns the policy of a page with scripts. Inline content is allowed by its hash, so that the page can be the same
/// for everyone.
///
/// `'self'` executes nothing that people uploaded or wrote: images are sent as images and texts as JSON, both with
/// `nosniff`.
pub(super) fn content_security_policy(inline: &InlineSources, others: OtherOrigins<'_>) -> String {
    let images = others.images.map(|origin| format!(" {origin}"));
    let images = images.unwrap_or_default();
    let frame_ancestors = match others.frame_ancestors {
        Some(Origins::Any) => "*".to_owned(),
        Some(Origins::Listed(origins)) if !origins.is_empty() => origins.join(" "),
        Some(Origins::Listed(_)) | None => "'none'".to_owned(),
    };
    let scripts = inline.scripts.join(" ");
    let styles = match &*inline.styles {
        [] => String::new(),
        // `unsafe-hashes` makes hashes apply to attributes too.
        sources => format!(" 'unsafe-hashes' {}", sources.join(" ")),
    };
    format!(
        "default-src 'none'; img-src 'self' blob: data:{images}; style-src 'self'{styles}; font-src 'self'; \
         script-src 'self' {scripts} 'wasm-unsafe-eval'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors {frame_ancestors}"
    )
}
