//! Asks a running node whether it is ready, for images without a shell whose health is checked from inside.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use thiserror::Error;

/// How long connecting, sending and each read may take; a node answers within 3 s.
const PATIENCE: Duration = Duration::from_secs(4);
/// More than any answer holds, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// Why a node is not known to be ready.
#[derive(Debug, Error)]
pub enum CheckError {
    /// There was no answer.
    #[error("no node answers at {address}: {source}")]
    NoAnswer {
        /// Where it was asked.
        address: SocketAddr,
        /// What went wrong.
        source: io::Error,
    },
    /// It said that it is not.
    #[error("the node at {address} is not ready: {answer}")]
    NotReady {
        /// Where it was asked.
        address: SocketAddr,
        /// What it said.
        answer: String,
    },
}

/// Asks the node that listens at `bind` for `/readyz`, and returns the body of its answer. It blocks.
///
/// # Errors
/// See [`CheckError`].
pub fn readiness(bind: SocketAddr) -> Result<String, CheckError> {
    let address = SocketAddr::new(reachable(bind.ip()), bind.port());
    let answer = ask(address).map_err(|source| CheckError::NoAnswer { address, source })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(body.to_owned())
    } else {
        let said = if body.is_empty() { head } else { body };
        let answer = said.to_owned();
        Err(CheckError::NotReady { address, answer })
    }
}

/// Where a node is reached on this machine that listens at this address, which may stand for all of them.
fn reachable(bind: IpAddr) -> IpAddr {
    match bind {
        IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        one => one,
    }
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}
