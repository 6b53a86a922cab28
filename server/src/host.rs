//! Hosts and origins, read strictly: what `PUBLIC_URL`, `Host`, `X-Forwarded-Host` and `Origin` may name.

use std::net::Ipv6Addr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Version, header};

use crate::problem::ApiError;

/// The longest name that DNS has, in bytes.
const MAX_NAME: usize = 253;

/// Lets a request through that names its host as RFC 9112, section 3.2, demands: programs on the way may read an
/// ambiguous one differently.
pub async fn require(request: Request, next: Next) -> Response {
    if names_host(request.version(), request.headers()) {
        next.run(request).await
    } else {
        ApiError::malformed("This request does not name its host, once and readably.")
            .into_response()
    }
}

/// `Host` once, with a host or empty; HTTP/1.0 knows none.
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

/// A host with or without a port, as `tonesa.example:9091` or `[::1]`; no user, no other letters, no impossible port.
pub fn parse_host(text: &str) -> Option<Authority> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !text.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_strict = is_host_name(name) && port.is_none_or(is_port);
    text.parse().ok().filter(|_| is_strict)
}

/// Scheme and host, and nothing behind them, as `https://tonesa.example`. The scheme comes out in lower case.
pub fn parse_origin(text: &str) -> Option<(&'static str, Authority)> {
    let (scheme, host) = text.split_once("://")?;
    let scheme = ["http", "https"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(scheme))?;
    Some((scheme, parse_host(host)?))
}

fn is_host_name(name: &str) -> bool {
    let literal = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = literal {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_letter)
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_possible_port() {
        for host in [
            "t",
            "a-b.example_c:65535",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:9091",
        ] {
            assert_eq!(parse_host(host).unwrap().as_str(), host);
        }
        for host in [
            "", ":80", "x@evil", "x:99999", "x:", "x:+80", "x/y", "::1", "[x]", "[::1", "x y",
            "x:80:80",
        ] {
            assert_eq!(parse_host(host), None, "{host}");
        }
        assert!(parse_host(&"x".repeat(MAX_NAME)).is_some());
        assert_eq!(parse_host(&"x".repeat(MAX_NAME + 1)), None);
    }

    #[test]
    fn a_request_names_its_host_once() {
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

    #[test]
    fn origins_end_with_their_host() {
        let (scheme, host) = parse_origin("HTTPS://x:1").unwrap();
        assert_eq!((scheme, host.as_str()), ("https", "x:1"));
        for origin in [
            "null",
            "x",
            "ftp://x",
            "http://",
            "http://x/",
            "http://x/path",
            "http://x?q",
            "http://evil@x",
        ] {
            assert_eq!(parse_origin(origin), None, "{origin}");
        }
    }
}
