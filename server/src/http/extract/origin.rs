//! Checks whether a page of another site made a request: browsers send `Origin` (RFC 6454) with every POST and upgrade.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::host::parse_origin;
use crate::config::{Config, PublicUrl};
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// An extractor that refuses requests made by other sites' pages; every handler of a POST or an upgrade has it, or
/// one of the two below, first.
#[derive(Debug, Clone, Copy)]
pub struct SameOrigin;

/// As [`SameOrigin`], for the target of the system's share sheet, `share_target` in the web app's manifest: the system
/// posts to the installed app from no page at all, so that the browser sends `Origin: null`.
#[derive(Debug, Clone, Copy)]
pub struct SameOriginOrShared;

/// As [`SameOrigin`], for what clients use that are other sites' pages: accepts the origins of
/// `TONESA_ALLOWED_ORIGINS` too.
#[derive(Debug, Clone, Copy)]
pub struct SameOriginOrAllowed;

impl<S: Send + Sync> FromRequestParts<S> for SameOrigin
where
    Arc<Config>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        refuse_cross_site(&parts.headers)?;
        let config = Arc::<Config>::from_ref(state);
        let info = RequestInfo::from_parts(parts, &config);
        check(
            &parts.headers,
            info.host.as_ref(),
            config.public_url.as_ref(),
        )?;
        Ok(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SameOriginOrShared
where
    Arc<Config>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if !is_made_without_page(&parts.headers) {
            SameOrigin::from_request_parts(parts, state).await?;
        }
        Ok(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SameOriginOrAllowed
where
    Arc<Config>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let config = Arc::<Config>::from_ref(state);
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let is_allowed = |origin: &HeaderValue| config.allowed_origins.contains(origin.as_bytes());
        if !(origins.next().is_some_and(is_allowed) && origins.next().is_none()) {
            SameOrigin::from_request_parts(parts, state).await?;
        }
        Ok(Self)
    }
}

/// Refuses requests that the browser marks as made by another site (Fetch Metadata), whatever `Origin` says. Its other
/// values permit nothing by themselves, since browsers that send them send `Origin` too: `same-site` may be another
/// host of the domain. Old browsers and programs do not send it.
fn refuse_cross_site(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    if sites.any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site")) {
        return Err(ApiError::ForeignOrigin);
    }
    Ok(())
}

/// Refuses an `Origin` that is not `PUBLIC_URL`; without that setting, one that is not the requested host. The host
/// alone is weak evidence: a foreign page whose name resolves to this node (DNS rebinding) requests its own. A missing
/// `Origin`, as from curl, is accepted; `null`, as from a sandboxed frame, is foreign.
///
/// # Errors
/// [`ApiError::ForeignOrigin`].
pub fn check(
    headers: &HeaderMap,
    host: Option<&Authority>,
    public_url: Option<&PublicUrl>,
) -> Result<(), ApiError> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return Ok(());
    };
    let is_own = || {
        let (scheme, origin) = parse_origin(origin.to_str().ok()?)?;
        let named = HostPort::new(&origin, scheme);
        let Some(public_url) = public_url else {
            // Behind a proxy the node does not always know the scheme.
            return Some(named == HostPort::new(host?, scheme));
        };
        let (public_scheme, public) = parse_origin(public_url.as_str())?;
        Some(scheme == public_scheme && named == HostPort::new(&public, public_scheme))
    };
    if origins.next().is_none() && is_own() == Some(true) {
        Ok(())
    } else {
        Err(ApiError::ForeignOrigin)
    }
}

/// Whether the browser says that no page made the request: `Sec-Fetch-Site: none`, which pages cannot set.
fn is_made_without_page(headers: &HeaderMap) -> bool {
    let is_only = |name: HeaderName, expected: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().is_some_and(|value| value == expected) && values.next().is_none()
    };
    is_only(header::ORIGIN, "null") && is_only(SEC_FETCH_SITE, "none")
}

/// The host and port of an origin. A missing port means the scheme's default port.
struct HostPort<'a> {
    host: &'a str,
    port: u16,
}

impl<'a> HostPort<'a> {
    fn new(authority: &'a Authority, scheme: &str) -> Self {
        let default_port = if scheme == "https" { 443 } else { 80 };
        Self {
            host: authority.host(),
            port: authority.port_u16().unwrap_or(default_port),
        }
    }
}

impl PartialEq for HostPort<'_> {
    /// Host names are compared without regard to case.
    fn eq(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(other.host) && self.port == other.port
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn is_accepted(origins: &[&str], host: &str, public_url: Option<&str>) -> bool {
        let headers = origins
            .iter()
            .map(|origin| (header::ORIGIN, HeaderValue::from_str(origin).unwrap()));
        let host: Authority = host.parse().unwrap();
        let public_url = public_url.map(|url| url.parse().unwrap());
        let headers = headers.fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        });
        check(&headers, Some(&host), public_url.as_ref()).is_ok()
    }

    #[test]
    fn the_public_url_is_accepted_and_without_one_the_requested_host() {
        for (origin, host, public_url) in [
            ("http://127.0.0.1:9091", "127.0.0.1:9091", None),
            ("http://tonesa.example", "tonesa.example", None),
            ("https://tonesa.example", "tonesa.example", None),
            ("https://tonesa.example", "TONESA.example:443", None),
            ("https://tonesa.example:8443", "tonesa.example:8443", None),
            ("http://[::1]:9091", "[::1]:9091", None),
            (
                "https://tonesa.example",
                "10.0.0.7:9091",
                Some("https://tonesa.example"),
            ),
            (
                "https://tonesa.example:443",
                "rebound.example",
                Some("https://tonesa.example"),
            ),
        ] {
            assert!(
                is_accepted(&[origin], host, public_url),
                "{origin} at {host}"
            );
        }
        assert!(is_accepted(&[], "tonesa.example", None));
    }

    #[test]
    fn other_origins_are_foreign() {
        let public_url = Some("https://tonesa.example");
        for origin in [
            "null",
            "",
            "https://evil.example",
            "https://tonesa.example.evil.example",
            "https://sub.tonesa.example",
            "https://tonesa.example:8443",
            "http://tonesa.example",
            "http://tonesa.example:443",
            "tonesa.example",
            "https://10.0.0.7",
            // The requested host, as after DNS rebinding.
            "http://10.0.0.7:9091",
            "http://10.0.0.7:9092",
            "file://",
            "http://evil@10.0.0.7:9091",
            "http://10.0.0.7:9091/path",
            "http://10.0.0.7:9091/",
        ] {
            assert!(
                !is_accepted(&[origin], "10.0.0.7:9091", public_url),
                "{origin}"
            );
        }
        let twice = ["https://tonesa.example", "https://evil.example"];
        assert!(!is_accepted(&twice, "10.0.0.7:9091", public_url));
    }
}
