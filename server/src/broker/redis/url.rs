//! Parses `REDIS_URL`.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use super::error::OpenError;

/// What `REDIS_URL` names. All servers of a cluster, and all sentinels, have the same login.
#[derive(Debug)]
pub enum Target {
    /// One server: `redis://` or `rediss://` (TLS).
    Server(ConnectionInfo),
    /// Any servers of a cluster: `redis+cluster://a,b,c`, `rediss+cluster://`, or several addresses with commas.
    Cluster(Vec<ConnectionInfo>),
    /// The master that sentinels know: `redis+sentinel://a,b,c/name`, `rediss+sentinel://`.
    Sentinel {
        /// The sentinels, which are used without a login.
        sentinels: Vec<ConnectionInfo>,
        /// The master's name.
        name: String,
        /// The master's login.
        login: ConnectionInfo,
    },
}

const INVALID: OpenError = OpenError::Url("scheme, host, port or database are wrong");

/// The default port of sentinels.
const SENTINEL_PORT: u16 = 26_379;

/// Parses `REDIS_URL`.
///
/// # Errors
/// [`OpenError::Url`].
pub fn parse(url: &str) -> Result<Target, OpenError> {
    let (scheme, rest) = url.split_once("://").ok_or(INVALID)?;
    match scheme.split_once('+') {
        None if is_list(url) => {
            let nodes = url.split(',').map(|url| parse_server(url.trim()));
            nodes.collect::<Result<_, _>>().map(Target::Cluster)
        }
        Some((scheme @ ("redis" | "rediss"), "cluster")) => {
            let (login, hosts, rest) = split_authority(rest);
            let nodes = hosts.map(|host| parse_server(&format!("{scheme}://{login}{host}{rest}")));
            nodes.collect::<Result<_, _>>().map(Target::Cluster)
        }
        Some((scheme @ ("redis" | "rediss"), "sentinel")) => parse_sentinel(scheme, rest),
        _ => parse_server(url).map(Target::Server),
    }
}

/// Whether it is a list of addresses. A comma alone may belong to a password.
fn is_list(url: &str) -> bool {
    url.split(',').skip(1).any(|part| {
        let part = part.trim_start();
        part.starts_with("redis://") || part.starts_with("rediss://")
    })
}

/// Splits into the login with its `@`, the hosts, and the rest.
fn split_authority(rest: &str) -> (&str, impl Iterator<Item = &str>, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let hosts_at = authority.rfind('@').map_or(0, |at| at + 1);
    let (login, hosts) = authority.split_at(hosts_at);
    (login, hosts.split(',').map(str::trim), rest)
}

fn parse_sentinel(scheme: &str, rest: &str) -> Result<Target, OpenError> {
    let (login, hosts, rest) = split_authority(rest);
    let name = rest.trim_matches('/');
    if name.is_empty() || name.contains(['/', '?', '#']) {
        return Err(OpenError::Url(
            "the master's name is missing after the sentinels",
        ));
    }
    let sentinels = hosts.map(|host| {
        let info = parse_server(&format!("{scheme}://{host}"))?;
        Ok(if has_port(host) {
            info
        } else {
            with_port(info, SENTINEL_PORT)
        })
    });
    Ok(Target::Sentinel {
        sentinels: sentinels.collect::<Result<_, _>>()?,
        name: name.to_owned(),
        login: parse_server(&format!("{scheme}://{login}master"))?,
    })
}

fn has_port(host: &str) -> bool {
    host.rsplit(']')
        .next()
        .is_some_and(|rest| rest.contains(':'))
}

fn with_port(info: ConnectionInfo, port: u16) -> ConnectionInfo {
    let host = match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => return info,
    };
    with_address(info, host, port)
}

/// The same connection settings with another address.
pub fn with_address(info: ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let addr = match info.addr().clone() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure,
            tls_params,
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    info.set_addr(addr)
}

/// Parses one address with the driver, whose errors are dropped because they may quote the address.
fn parse_server(url: &str) -> Result<ConnectionInfo, OpenError> {
    let info = url.into_connection_info().map_err(|_| INVALID)?;
    // This version of the protocol distinguishes messages from confirmations.
    let login = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(login))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formats as `user:password@host:port`, with `s` before it for TLS.
    fn format_info(info: &ConnectionInfo) -> String {
        let login = info.redis_settings();
        let (user, password) = (login.username(), login.password());
        let login = user
            .zip(password)
            .map(|(user, password)| format!("{user}:{password}@"));
        let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let tls = if is_tls { "s " } else { "" };
        format!("{tls}{}{}", login.unwrap_or_default(), info.addr())
    }

    fn parsed(url: &str) -> Vec<String> {
        match parse(url).unwrap() {
            Target::Server(info) => vec![format_info(&info)],
            Target::Cluster(nodes) => nodes.iter().map(format_info).collect(),
            Target::Sentinel {
                sentinels,
                name,
                login,
            } => {
                let mut all: Vec<_> = sentinels.iter().map(format_info).collect();
                all.extend([name, format_info(&login)]);
                all
            }
        }
    }

    #[test]
    fn one_server_may_have_a_login_and_tls() {
        assert_eq!(parsed("redis://example.org"), ["example.org:6379"]);
        assert_eq!(parsed("redis://u:a%40,b@h:1/0"), ["u:a@,b@h:1"]);
        assert_eq!(parsed("rediss://u:p@[::1]:2"), ["s u:p@::1:2"]);
    }

    #[test]
    fn a_cluster_is_named_by_any_of_its_servers() {
        assert_eq!(parsed("redis+cluster://a:1"), ["a:1"]);
        assert_eq!(
            parsed("rediss+cluster://u:p,@a:1,b,[::1]:3"),
            ["s u:p,@a:1", "s u:p,@b:6379", "s u:p,@::1:3"]
        );
        assert_eq!(parsed("redis://a:1,redis://b:2"), ["a:1", "b:2"]);
        assert!(matches!(parse("redis+cluster://a"), Ok(Target::Cluster(_))));
        assert!(matches!(
            parse("redis://a,redis://b"),
            Ok(Target::Cluster(_))
        ));
    }

    #[test]
    fn sentinels_are_asked_without_the_masters_login() {
        assert_eq!(
            parsed("redis+sentinel://u:p@a,b:5,[::1]/main"),
            ["a:26379", "b:5", "::1:26379", "main", "u:p@master:6379"]
        );
        assert_eq!(
            parsed("rediss+sentinel://a/main"),
            ["s a:26379", "main", "s master:6379"]
        );
    }

    #[test]
    fn an_invalid_address_is_refused_without_being_quoted() {
        for wrong in [
            "",
            "example.org:6379",
            "http://u:secret@h",
            "redis://u:secret@",
            "redis://u:secret@h:port",
            "redis://u:secret@h/database",
            "redis+cluster://u:secret@",
            "redis+cluster://a,,b",
            "redis+sentinel://u:secret@a,b",
            "redis+sentinel://u:secret@a/x/y",
            "redis+other://u:secret@h",
        ] {
            let error = parse(wrong).expect_err(wrong).to_string();
            assert!(error.contains("REDIS_URL") && !error.contains("secret"));
        }
    }
}
