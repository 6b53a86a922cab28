//! Lists of origins.

use std::str::FromStr;

use super::host::parse_origin;

/// The origins of other sites' pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All of them.
    Any,
    /// These, as browsers write them: in lower case, and without the scheme's default port.
    Listed(Vec<String>),
}

impl Origins {
    /// Returns whether no origin is meant.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Listed(origins) if origins.is_empty())
    }

    /// Returns whether the origin, as a browser writes it, is meant.
    pub fn contains(&self, origin: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(origins) => origins.iter().any(|it| it.as_bytes() == origin),
        }
    }
}

impl FromStr for Origins {
    type Err = ();

    /// Parses `*`, or a list separated by commas, which may be empty.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let origins = text.split(',').map(str::trim);
        let origins = origins.filter(|origin| !origin.is_empty());
        let origins = origins.map(as_written_by_browsers).collect::<Option<_>>();
        origins.map(Self::Listed).ok_or(())
    }
}

fn as_written_by_browsers(origin: &str) -> Option<String> {
    let origin = origin.strip_suffix('/').unwrap_or(origin);
    let (scheme, authority) = parse_origin(origin)?;
    let default_port = if scheme == "https" { 443 } else { 80 };
    let port = authority.port_u16().filter(|port| *port != default_port);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let host = authority.host().to_ascii_lowercase();
    Some(format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (text, expected) in [
            ("", &[][..]),
            ("https://a.example", &["https://a.example"]),
            ("HTTPS://A.Example:443/", &["https://a.example"]),
            ("http://a.example:80", &["http://a.example"]),
            (
                "http://[::1]:9091, , https://b.example:8443",
                &["http://[::1]:9091", "https://b.example:8443"],
            ),
        ] {
            let Ok(Origins::Listed(origins)) = text.parse() else {
                panic!("{text} is a list");
            };
            assert_eq!(origins, expected);
        }
        for text in [
            "a.example",
            "null",
            "*,https://a.example",
            "https://*.a.example",
            "https://a.example/path",
            "https://a.example; script-src *",
            "ftp://a.example",
        ] {
            assert_eq!(text.parse::<Origins>(), Err(()), "{text}");
        }
    }

    #[test]
    fn only_listed_origins_are_contained_unless_all_are() {
        let listed: Origins = "https://a.example".parse().unwrap();
        assert!(listed.contains(b"https://a.example"));
        for other in ["http://a.example", "https://a.example:8443", "null", ""] {
            assert!(!listed.contains(other.as_bytes()), "{other}");
            assert!(Origins::Any.contains(other.as_bytes()));
        }
        assert!(!listed.is_empty() && !Origins::Any.is_empty());
        assert!(Origins::Listed(Vec::new()).is_empty());
    }
}
