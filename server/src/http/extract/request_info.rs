//! Who sent a request, and under which address the node was reached.
//!
//! The proxies' headers (`X-Forwarded-For`, `-Host`, `-Proto`, `X-Request-ID`) are accepted from those listed in
//! `TONESA_TRUSTED_PROXIES` only: anyone else can write anything there.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, header};
use ipnet::IpNet;

use crate::config::Config;
use crate::config::host::parse_host;

/// A client's IP address. An IPv4-mapped IPv6 address is stored as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

impl ClientAddress {
    /// Returns the address itself.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// Returns whether one of these networks contains it.
    pub fn is_in(self, networks: &[IpNet]) -> bool {
        is_trusted(self.0, networks)
    }

    /// Returns the address by which limits and blocks know the client: an IPv6 client usually has a whole /64 network.
    pub fn rate_limit_key(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }
    }
}

/// Where a request came from, and which address it was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// The client.
    pub client: ClientAddress,
    /// The host that the client asked for, with the port if one was given; `None` if it named no host.
    pub host: Option<Authority>,
    /// Whether the client used https, as far as is known.
    pub https: bool,
    /// Whether a trusted proxy forwarded it.
    pub via_proxy: bool,
}

impl RequestInfo {
    /// Reads a request that came from `peer`.
    pub fn from_peer(parts: &Parts, peer: IpAddr, trusted: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        let via_proxy = is_trusted(peer, trusted);
        let forwarded = |name| via_proxy.then(|| last_of(&parts.headers, name)).flatten();
        // A forwarded host counts only if it is valid.
        let host = forwarded("x-forwarded-host").and_then(parse_host);
        let host = host.or_else(|| {
            let named = parts.uri.authority().map(Authority::as_str);
            parse_host(named.or_else(|| parts.headers.get(header::HOST)?.to_str().ok())?)
        });
        Self {
            client: client_address(&parts.headers, peer, trusted).into(),
            host,
            https: forwarded("x-forwarded-proto")
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
            via_proxy,
        }
    }

    /// Reads a request that this node received. The result is kept in the request's extensions, since several layers
    /// need it.
    pub fn from_parts(parts: &mut Parts, config: &Config) -> Self {
        if let Some(info) = parts.extensions.get::<Self>() {
            return info.clone();
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let info = Self::from_peer(parts, peer, &config.trusted_proxies);
        parts.extensions.insert(info.clone());
        info
    }

    /// Returns the scheme and host that the client asked for, such as `http://127.0.0.1:9091`.
    pub fn origin(&self) -> Option<String> {
        let scheme = if self.https { "https" } else { "http" };
        let host = self.host.as_ref()?;
        Some(format!("{scheme}://{host}"))
    }

    /// Returns the scheme and host of absolute links to this service: `PUBLIC_URL`, or else what the client asked for.
    pub fn public_origin(&self, config: &Config) -> String {
        let public = config.public_url.as_ref();
        public
            .map(|url| url.as_str().to_owned())
            .or_else(|| self.origin())
            .unwrap_or_else(|| format!("http://{}", config.address()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestInfo
where
    Arc<Config>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self::from_parts(parts, &Arc::from_ref(state)))
    }
}

/// Returns the nearest address that is not a trusted proxy's: going back from the peer through the addresses that each
/// hop gives for the one before it.
fn client_address(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let mut hops = values_of(headers, "x-forwarded-for").collect::<Vec<_>>();
    let mut client = peer;
    while is_trusted(client, trusted) {
        match hops.pop().and_then(parse_hop) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// Parses an address, which some proxies write with a port.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| {
        text.parse::<SocketAddr>()
            .ok()
            .map(|with_port| with_port.ip())
    });
    address.map(|address| address.to_canonical())
}

/// Returns the values of a list header, in the order in which they were appended.
fn values_of<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// Returns the value that the nearest proxy appended.
fn last_of<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    values_of(headers, name).last()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn info(peer: &str, trusted: &[&str], headers: &[(&str, &str)]) -> RequestInfo {
        let mut request = Request::get("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        RequestInfo::from_peer(&parts, peer.parse().unwrap(), &trusted)
    }

    fn client(peer: &str, trusted: &[&str], forwarded_for: &[&str]) -> String {
        let headers: Vec<_> = forwarded_for
            .iter()
            .map(|value| ("x-forwarded-for", *value))
            .collect();
        info(peer, trusted, &headers).client.ip().to_string()
    }

    #[test]
    fn without_trusted_proxies_the_peer_is_the_client() {
        assert_eq!(client("192.0.2.7", &[], &["203.0.113.9"]), "192.0.2.7");
        assert_eq!(
            client("192.0.2.7", &["10.0.0.0/8"], &["203.0.113.9"]),
            "192.0.2.7"
        );
    }

    #[test]
    fn trusted_proxies_are_skipped_from_the_right() {
        let trusted = ["10.0.0.0/8", "::1/128"];
        for (forwarded_for, expected) in [
            (vec!["203.0.113.9"], "203.0.113.9"),
            (vec!["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            (vec!["1.2.3.4, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            (vec!["1.2.3.4", "203.0.113.9", "10.0.0.2"], "203.0.113.9"),
            (vec!["203.0.113.9:4711"], "203.0.113.9"),
            (vec!["[2001:db8::9]:4711"], "2001:db8::9"),
            (vec!["[2001:db8::9]"], "2001:db8::9"),
            (vec!["::ffff:203.0.113.9"], "203.0.113.9"),
            (vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (vec!["203.0.113.9, unknown"], "10.0.0.1"),
            (vec!["203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"),
            (vec![], "10.0.0.1"),
        ] {
            assert_eq!(
                client("10.0.0.1", &trusted, &forwarded_for),
                expected,
                "{forwarded_for:?}"
            );
            assert_eq!(
                client("::ffff:10.0.0.1", &trusted, &forwarded_for),
                expected,
                "{forwarded_for:?}"
            );
        }
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let key = |peer| info(peer, &[], &[]).client.rate_limit_key().to_string();
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("192.0.2.7"), "192.0.2.7");
        assert_eq!(key("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn forwarded_host_and_scheme_are_accepted_from_trusted_proxies_only() {
        let headers = [
            ("host", "node.internal:9091"),
            ("x-forwarded-host", "tonesa.example"),
            ("x-forwarded-proto", "https"),
        ];
        let origin = |trusted| info("10.0.0.1", trusted, &headers).origin().unwrap();
        assert_eq!(origin(&["10.0.0.1/32"]), "https://tonesa.example");
        assert_eq!(origin(&[]), "http://node.internal:9091");
    }

    #[test]
    fn an_invalid_host_is_none() {
        let trusted = ["10.0.0.1/32"];
        let host = |headers: &[_]| info("10.0.0.1", &trusted, headers).host;
        assert_eq!(host(&[("host", "x@evil")]), None);
        let forwarded = [("host", "node"), ("x-forwarded-host", "x@evil")];
        assert_eq!(host(&forwarded).unwrap(), "node");
    }
}
