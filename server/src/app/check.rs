//! Asks a running node whether it is ready. Container images without a shell use it as their health check.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use thiserror::Error;

/// How long connecting, sending and each read may take; a node answers within 3 s.
const IO_TIMEOUT: Duration = Duration::from_secs(4);
/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// Why a node is not ready, or is not known to be.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The node did not answer.
    #[error("no node answers at {address}: {source}")]
    NoAnswer {
        /// The address that was asked.
        address: SocketAddr,
        /// Why there was no answer.
        source: io::Error,
    },
    /// The node answered that it is not ready.
    #[error("the node at {address} is not ready: {answer}")]
    NotReady {
        /// The address that was asked.
        address: SocketAddr,
        /// The body of its answer.
        answer: String,
    },
}

/// Requests `/readyz` of the node that listens at `bind`, and returns the body of its answer. Blocks.
///
/// # Errors
/// See [`CheckError`].
pub fn readiness(bind: SocketAddr) -> Result<String, CheckError> {
    let address = SocketAddr::new(connect_address(bind.ip()), bind.port());
    let answer =
        request_readiness(address).map_err(|source| CheckError::NoAnswer { address, source })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(body.to_owned())
    } else {
        let body = if body.is_empty() { head } else { body };
        let answer = body.to_owned();
        Err(CheckError::NotReady { address, answer })
    }
}

/// Returns the address to connect to, for a node that listens at `bind`: the loopback address if it listens at all.
pub(super) fn connect_address(bind: IpAddr) -> IpAddr {
    match bind {
        IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        one => one,
    }
}

fn request_readiness(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, IO_TIMEOUT)?;
    stream.set_read_timeout(Some(IO_TIMEOUT))?;
    stream.set_write_timeout(Some(IO_TIMEOUT))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}
