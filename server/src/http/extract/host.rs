//! Checks that a request names its host.

use axum::extract::Request;
use http::{HeaderMap, HeaderValue, Version, header};

use crate::config::host::parse_host;
use crate::http::error::ApiError;

/// Middleware that refuses requests that do not name their host as RFC 9112, section 3.2, demands: programs on the way
/// may interpret an ambiguous one differently.
///
/// # Errors
/// [`ApiError::Malformed`].
pub async fn require_host(request: Request) -> Result<Request, ApiError> {
    if names_host(request.version(), request.headers()) {
        return Ok(request);
    }
    let detail = "This request does not name its host, once and readably.";
    Err(ApiError::malformed(detail))
}

/// Whether there is one valid or empty `Host`; HTTP/1.0 does not need one.
fn names_host(version: Version, headers: &HeaderMap) -> bool {
    let is_readable = |host: &HeaderValue| {
        host.is_empty() || host.to_str().is_ok_and(|host| parse_host(host).is_some())
    };
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => is_readable(host),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_must_name_its_host_once() {
        for (version, hosts, expected) in [
            (Version::HTTP_11, vec!["tonesa.example"], true),
            (Version::HTTP_11, vec![""], true),
            (Version::HTTP_11, vec![], false),
            (Version::HTTP_10, vec![], true),
            (Version::HTTP_11, vec!["x", "y"], false),
            (Version::HTTP_11, vec!["x", "x"], false),
            (Version::HTTP_11, vec!["x, y"], false),
            (Version::HTTP_11, vec!["user@x"], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in &hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            assert_eq!(names_host(version, &headers), expected, "{hosts:?}");
        }
    }
}
