//! Settings with a syntax of their own, and value parsers. Errors say what a value must be.

use std::fmt::{self, Display};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;
use sha2::{Digest, Sha256, Sha512};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Builder, LevelFilter};

use super::host::{parse_host, parse_origin};

pub(super) const PUBLIC_URL: &str =
    "an http or https address without a path, as https://tonesa.example";
pub(super) const ENDPOINT: &str =
    "an http or https address without user and password, as https://s3.example:9000";
pub(super) const CONTACT: &str =
    "a mailto or https address, as mailto:abuse@tonesa.example or https://tonesa.example/contact";
pub(super) const ADMIN_TOKEN: &str = "20 to 200 letters, digits or characters of -._~+/=";
pub(super) const ORIGINS: &str =
    "a list of origins, as https://a.example,http://b.example:8080, or *";
pub(super) const LOG_FILTER: &str = "a log filter, as info or info,server=debug";

/// The longest contact address, in bytes: it is in every page.
const MAX_CONTACT: usize = 500;
/// The lengths of an admin token. A shorter one could be guessed.
const ADMIN_TOKEN_LENGTHS: RangeInclusive<usize> = 20..=200;
/// The longest name of a bucket, from before Amazon limited names to 63 characters.
const MAX_NAME: usize = 255;

/// The address that people use for the node: scheme, host, and the port unless it is the scheme's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Returns the address without a slash at the end, such as `https://tonesa.example`: also the `Origin` of its
    /// pages.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let origin = text.strip_suffix('/').unwrap_or(text);
        let (scheme, host) = parse_origin(origin).ok_or(())?;
        Ok(Self(format!("{scheme}://{host}").to_ascii_lowercase()))
    }
}

/// The address of a server: scheme, host, the port unless it is the scheme's default, and the path if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Returns the address, such as `https://s3.example:9000`, without a slash at the end. It contains no password.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Endpoint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, rest) = text.split_once("://").ok_or(())?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (scheme, host) = parse_origin(&format!("{scheme}://{host}")).ok_or(())?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !path.bytes().all(is_plain) {
            return Err(());
        }
        let address = format!("{scheme}://{host}/{path}");
        Ok(Self(address.trim_end_matches('/').to_owned()))
    }
}

/// How to reach whoever runs the node: an address with the scheme `mailto` or `https`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact(String);

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Contact {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, rest) = text.split_once(':').ok_or(())?;
        let is_address = match &*scheme.to_ascii_lowercase() {
            "mailto" => is_mail_address(rest.split('?').next().unwrap_or_default()),
            "https" => rest.strip_prefix("//").is_some_and(|rest| {
                let host = rest.split(['/', '?', '#']).next();
                host.and_then(parse_host).is_some()
            }),
            _ => false,
        };
        // It becomes a line of a file.
        let is_line = text.len() <= MAX_CONTACT && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_address && is_line {
            Ok(Self(text.to_owned()))
        } else {
            Err(())
        }
    }
}

fn is_mail_address(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let domain = parse_host(domain);
    !name.is_empty() && domain.is_some_and(|domain| domain.port().is_none())
}

/// Which events are logged, in the syntax of `tracing_subscriber`'s `EnvFilter`, such as `info,server=debug`, without
/// regular expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Returns it in the form that `tracing-subscriber` takes.
    pub fn to_filter(&self) -> EnvFilter {
        let builder = builder().with_default_directive(LevelFilter::ERROR.into());
        builder.parse_lossy(&self.0)
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LogFilter {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // tracing-subscriber 0.3.23 reads a directive that begins with white space at the wrong bytes, and panics if
        // these are inside a character.
        let directives: Vec<_> = text.split(',').map(str::trim).collect();
        let filter = directives.join(",");
        builder().parse(&filter).map_err(drop)?;
        Ok(Self(filter))
    }
}

/// Without regular expressions for the values of fields: a few dozen dots in one would take minutes.
fn builder() -> Builder {
    EnvFilter::builder().with_regex(false)
}

/// A text that may contain a password. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text, for the driver that logs in with it; never for a log line or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// What an admin brings to be recognised.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken {
    text: Secret,
    hash: [u8; 32],
}

impl AdminToken {
    /// Returns whether this is the token. Hashes are compared: how long that takes says nothing about the tokens.
    pub fn is(&self, given: &str) -> bool {
        Sha256::digest(given).as_slice() == self.hash
    }

    /// Makes a key from the token for this purpose. Nobody who does not know the token knows the key.
    pub fn derive(&self, purpose: &str) -> [u8; 64] {
        let input = Sha512::new().chain_update(purpose).chain_update(self.hash);
        input.finalize().into()
    }

    /// Returns the token, for a request to a node; never for a log line or an error.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl FromStr for AdminToken {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // What RFC 6750 allows.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if ADMIN_TOKEN_LENGTHS.contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self {
                text: text.to_owned().into(),
                hash: Sha256::digest(text).into(),
            })
        } else {
            Err(())
        }
    }
}

/// Parses a value with `FromStr`.
pub(super) fn parsed<T: FromStr>(
    expected: &str,
) -> impl Fn(&str) -> Result<T, String> + Clone + use<'_, T> {
    move |text| text.parse().map_err(|_| format!("must be {expected}"))
}

/// Parses a whole number within bounds.
pub(super) fn number<T: FromStr + PartialOrd + Display + Clone>(
    bounds: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        number.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
    }
}

pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err("must be 1 or 0"),
    }
}

/// Parses the name of something on another server, which becomes part of URLs.
pub(super) fn plain_name(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = text.len() <= MAX_NAME && text.bytes().all(is_plain) && text != "..";
    let name = is_name.then(|| text.to_owned());
    name.ok_or("must be a name of letters, digits, - . and _")
}

/// Parses a list of networks separated by commas; a bare address is a network of one.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, &'static str> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let network = |part: &str| {
        let network = part.parse().ok();
        network.or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from))
    };
    let networks = parts.map(network).collect::<Option<_>>();
    networks.ok_or("must be a list of networks, as 10.0.0.0/8, fd00::/8")
}
