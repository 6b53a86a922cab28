//! What `REDIS_URL` may say.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use super::error::OpenError;

/// What it names. A cluster's and the sentinels' logins are the same for all their servers.
#[derive(Debug)]
pub enum Target {
    /// One server: `redis://` or `rediss://` (TLS).
    Server(ConnectionInfo),
    /// Any servers of a cluster: `redis+cluster://a,b,c`, `rediss+cluster://`, or several addresses with commas.
    Cluster(Vec<ConnectionInfo>),
    /// The master that sentinels know: `redis+sentinel://a,b,c/name`, `rediss+sentinel://`.
    Sentinel {
        /// Where the sentinels are. They are asked without a login.
        sentinels: Vec<ConnectionInfo>,
        /// What they call the master.
        name: String,
        /// The master's login.
        login: ConnectionInfo,
    },
}

const WRONG: OpenError = OpenError::Url("scheme, host, port or database are wrong");

/// Where sentinels listen unless told.
const SENTINEL_PORT: u16 = 26_379;

/// Reads it.
///
/// # Errors
/// [`OpenError::Url`].
pub fn parse(url: &str) -> Result<Target, OpenError> {
    let (scheme, rest) = url.split_once("://").ok_or(WRONG)?;
    match scheme.split_once('+') {
        None if is_list(url) => {
            let nodes = url.split(',').map(|url| server(url.trim()));
            nodes.collect::<Result<_, _>>().map(Target::Cluster)
        }
        Some((scheme @ ("redis" | "rediss"), "cluster")) => {
            let (login, hosts, rest) = split(rest);
            let nodes = hosts.map(|host| server(&format!("{scheme}://{login}{host}{rest}")));
            nodes.collect::<Result<_, _>>().map(Target::Cluster)
        }
        Some((scheme @ ("redis" | "rediss"), "sentinel")) => sentinel(scheme, rest),
        _ => server(url).map(Target::Server),
    }
}

/// A password may hold commas too.
fn is_list(url: &str) -> bool {
    url.split(',').skip(1).any(|part| {
        let part = part.trim_start();
        part.starts_with("redis://") || part.starts_with("rediss://")
    })
}

/// The login with its `@`, the hosts, and what follows them.
fn split(rest: &str) -> (&str, impl Iterator<Item = &str>, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let hosts_at = authority.rfind('@').map_or(0, |at| at + 1);
    let (login, hosts) = authority.split_at(hosts_at);
    (login, hosts.split(',').map(str::trim), rest)
}

fn sentinel(scheme: &str, rest: &str) -> Result<Target, OpenError> {
    let (login, hosts, rest) = split(rest);
    let name = rest.trim_matches('/');
    if name.is_empty() || name.contains(['/', '?', '#']) {
        return Err(OpenError::Url(
            "the master's name is missing after the sentinels",
        ));
    }
    let sentinels = hosts.map(|host| {
        let info = server(&format!("{scheme}://{host}"))?;
        Ok(if has_port(host) {
            info
        } else {
            at_port(info, SENTINEL_PORT)
        })
    });
    Ok(Target::Sentinel {
        sentinels: sentinels.collect::<Result<_, _>>()?,
        name: name.to_owned(),
        login: server(&format!("{scheme}://{login}master"))?,
    })
}

fn has_port(host: &str) -> bool {
    host.rsplit(']')
        .next()
        .is_some_and(|rest| rest.contains(':'))
}

fn at_port(info: ConnectionInfo, port: u16) -> ConnectionInfo {
    let host = match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => return info,
    };
    at(info, host, port)
}

/// The same way and login at another address.
pub fn at(info: ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
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

/// The driver's own reading of one address. Its errors may quote the address, so they are not passed on.
fn server(url: &str) -> Result<ConnectionInfo, OpenError> {
    let info = url.into_connection_info().map_err(|_| WRONG)?;
    // In this version of the protocol messages and confirmations can be told apart.
    let login = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(login))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `user:password@host:port`, with `s` before it for TLS.
    fn shown(info: &ConnectionInfo) -> String {
        let login = info.redis_settings();
        let (user, password) = (login.username(), login.password());
        let login = user
            .zip(password)
            .map(|(user, password)| format!("{user}:{password}@"));
        let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let tls = if is_tls { "s " } else { "" };
        format!("{tls}{}{}", login.unwrap_or_default(), info.addr())
    }

    fn read(url: &str) -> Vec<String> {
        match parse(url).unwrap() {
            Target::Server(info) => vec![shown(&info)],
            Target::Cluster(nodes) => nodes.iter().map(shown).collect(),
            Target::Sentinel {
                sentinels,
                name,
                login,
            } => {
                let mut all: Vec<_> = sentinels.iter().map(shown).collect();
                all.extend([name, shown(&login)]);
                all
            }
        }
    }

    #[test]
    fn one_server_may_have_a_login_and_tls() {
        assert_eq!(read("redis://example.org"), ["example.org:6379"]);
        assert_eq!(read("redis://u:a%40,b@h:1/0"), ["u:a@,b@h:1"]);
        assert_eq!(read("rediss://u:p@[::1]:2"), ["s u:p@::1:2"]);
    }

    #[test]
    fn a_cluster_is_named_by_any_of_its_servers() {
        assert_eq!(read("redis+cluster://a:1"), ["a:1"]);
        assert_eq!(
            read("rediss+cluster://u:p,@a:1,b,[::1]:3"),
            ["s u:p,@a:1", "s u:p,@b:6379", "s u:p,@::1:3"]
        );
        assert_eq!(read("redis://a:1,redis://b:2"), ["a:1", "b:2"]);
        assert!(matches!(parse("redis+cluster://a"), Ok(Target::Cluster(_))));
        assert!(matches!(
            parse("redis://a,redis://b"),
            Ok(Target::Cluster(_))
        ));
    }

    #[test]
    fn sentinels_are_asked_without_the_masters_login() {
        assert_eq!(
            read("redis+sentinel://u:p@a,b:5,[::1]/main"),
            ["a:26379", "b:5", "::1:26379", "main", "u:p@master:6379"]
        );
        assert_eq!(
            read("rediss+sentinel://a/main"),
            ["s a:26379", "main", "s master:6379"]
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_quoted() {
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
