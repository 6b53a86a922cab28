//! Settings with a form of their own.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

use super::host::parse_origin;
use super::reader::{ConfigError, Reader, invalid};

/// What `PUBLIC_URL` has to be.
pub(super) const PUBLIC_URL: &str =
    "an http or https address without a path, as https://tonesa.example";

/// The longest name of a bucket, as it was before Amazon allowed no more than 63 characters.
const MAX_NAME: usize = 255;

/// The address under which people reach the node: scheme and host, and a port where it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The address without a slash at the end, as `https://tonesa.example`: also the `Origin` of its pages.
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

/// The address of a server: scheme, host, a port where it is not the scheme's own, and a path where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// The address, as `https://s3.example:9000`, without a slash at the end. It holds no password.
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

/// A server's address. A wrong one is not repeated: people put passwords into addresses.
pub(super) fn endpoint(
    env: &Reader<'_>,
    name: &'static str,
) -> Result<Option<Endpoint>, ConfigError> {
    let expected = "an http or https address without user and password, as https://s3.example:9000";
    let parsed = env.text(name)?.map(|given| given.parse());
    parsed
        .transpose()
        .map_err(|()| ConfigError::Secret { name, expected })
}

/// The name of something on another server, which is made part of addresses.
pub(super) fn plain_name(name: &'static str, given: String) -> Result<String, ConfigError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = given.len() <= MAX_NAME && given.bytes().all(is_plain) && given != "..";
    if is_name {
        Ok(given)
    } else {
        Err(invalid(name, "a name of letters, digits, - . and _", given))
    }
}

/// Which events are logged, in the syntax of `tracing_subscriber`'s `EnvFilter`, as `info,server=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter itself.
    pub fn to_filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `TONESA_LOG`, else `RUST_LOG`, else `info`.
pub(super) fn log_filter(env: &Reader<'_>) -> Result<LogFilter, ConfigError> {
    for name in ["TONESA_LOG", "RUST_LOG"] {
        if let Some(given) = env.text(name)? {
            let expected = "a log filter, as info or info,server=debug";
            return match EnvFilter::try_new(&given) {
                Ok(_) => Ok(LogFilter(given)),
                Err(_) => Err(invalid(name, expected, given)),
            };
        }
    }
    Ok(LogFilter("info".to_owned()))
}

/// A list of networks with commas between them; a bare address is a network of one.
pub(super) fn networks(env: &Reader<'_>, name: &'static str) -> Result<Vec<IpNet>, ConfigError> {
    let text = env.text(name)?.unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let network = part.parse().ok();
            let network = network.or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
            network.ok_or_else(|| {
                let expected = "a list of networks, as 10.0.0.0/8, fd00::/8";
                invalid(name, expected, part.to_owned())
            })
        })
        .collect()
}
