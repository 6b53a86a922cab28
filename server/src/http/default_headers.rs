//! Headers that all responses have, or all of some routes.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};

use super::extract::request_info::RequestInfo;

/// The header that says which sites may embed a response.
pub const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
/// For a year the browser asks this host by https only (RFC 6797). Other hosts of its domain are not ours to speak for.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Middleware that adds the headers that every response has, unless the handler has set its own.
pub async fn add_default_headers(info: RequestInfo, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-cache"),
        // Images set their own. Nothing else may be embedded by other sites.
        (RESOURCE_POLICY, "same-origin"),
    ] {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
    // Without https it must not be sent.
    if info.https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    response
}

/// Middleware that asks search engines not to list what it is wrapped around: links are meant for those they were given
/// to.
pub async fn forbid_indexing(mut response: Response) -> Response {
    let noindex = HeaderValue::from_static("noindex");
    response.headers_mut().insert(ROBOTS, noindex);
    response
}
