//! Strict parsing of hosts and origins in `PUBLIC_URL`, `Host`, `X-Forwarded-Host` and `Origin`.

use std::net::Ipv6Addr;

use http::uri::Authority;

/// The longest name in the DNS, in bytes.
const MAX_NAME: usize = 253;
/// The digits of the largest port. More, with zeros in front, would only make links long.
const MAX_PORT_DIGITS: usize = 5;

/// Parses a host with or without a port, such as `tonesa.example:9091` or `[::1]`. User names, other characters and
/// impossible ports are rejected.
pub fn parse_host(text: &str) -> Option<Authority> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !text.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_strict = is_host_name(name) && port.is_none_or(is_port);
    text.parse().ok().filter(|_| is_strict)
}

/// Parses a scheme and host with nothing after them, such as `https://tonesa.example`. The returned scheme is in lower
/// case.
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
    port.len() <= MAX_PORT_DIGITS
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_valid_port() {
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
            "x:80:80", "x:000080",
        ] {
            assert_eq!(parse_host(host), None, "{host}");
        }
        assert!(parse_host(&"x".repeat(MAX_NAME)).is_some());
        assert_eq!(parse_host(&"x".repeat(MAX_NAME + 1)), None);
    }

    #[test]
    fn an_origin_has_nothing_behind_its_host() {
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
