//! As much of HTTP/1.1 as the scenarios need, on one kept connection: cheaper than a library's client, whose processor
//! time would limit the load.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const RESPONSE_TIMEOUT: Duration = Duration::from_mins(1);
const MAX_HEADERS: usize = 32;
const CHUNK: usize = 16 * 1024;
const BOUNDARY: &str = "bench-boundary";

pub struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(RESPONSE_TIMEOUT))?;
        Ok(Self {
            stream,
            unread: Vec::new(),
        })
    }

    /// Sends a request and returns the body of its response, which must be a success.
    pub fn request(&mut self, request: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        self.send(request)?;
        self.response()
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        Ok(self.stream.write_all(bytes.as_ref())?)
    }

    pub fn response(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(body) = response(&self.unread)? {
                let rest = self.unread.split_off(body.end);
                let response = std::mem::replace(&mut self.unread, rest);
                return Ok(response[body].to_vec());
            }
            let mut chunk = [0; CHUNK];
            let read = self.stream.read(&mut chunk)?;
            ensure!(read > 0, "the connection was closed before a response");
            self.unread.extend_from_slice(&chunk[..read]);
        }
    }
}

/// Where the body of the response is that these bytes start with, if that is complete. A response that is no success,
/// or whose length it does not say, is an error.
pub fn response(bytes: &[u8]) -> Result<Option<Range<usize>>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = response.parse(bytes)? else {
        return Ok(None);
    };
    let mut headers = response.headers.iter();
    let length = headers.find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.context("a response of unknown length")?;
    let body = start..start + std::str::from_utf8(length.value)?.parse::<usize>()?;
    let Some(content) = bytes.get(body.clone()) else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    ensure!(
        (200..300).contains(&status),
        "a request was answered {status}: {}",
        String::from_utf8_lossy(content)
    );
    Ok(Some(body))
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n")
}

pub fn get_gzip(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n")
}

/// A POST request with a JSON body.
pub fn post(path: &str, json: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
        json.len()
    )
}

/// A request that uploads a picture.
pub fn upload(name: &str, picture: &[u8]) -> Vec<u8> {
    let before = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
    );
    let after = format!("\r\n--{BOUNDARY}--\r\n");
    let header = format!(
        "POST /api/uploads HTTP/1.1\r\nHost: bench\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         Content-Length: {}\r\n\r\n",
        before.len() + picture.len() + after.len()
    );
    [
        header.as_bytes(),
        before.as_bytes(),
        picture,
        after.as_bytes(),
    ]
    .concat()
}
