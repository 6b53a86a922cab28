//! As much of HTTP/1.1 as the scenarios need, on one kept connection: cheaper than a library's client, whose processor time
//! would limit the load.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

const RESPONSE_TIMEOUT: Duration = Duration::from_mins(1);
const BOUNDARY: &str = "bench-boundary";

pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(RESPONSE_TIMEOUT))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request and returns the body of its response, which must be a success.
    pub fn request(&mut self, request: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        self.send(request)?;
        self.response()
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        Ok(self.stream.get_mut().write_all(bytes.as_ref())?)
    }

    pub fn response(&mut self) -> Result<Vec<u8>> {
        let status = self.line()?;
        let mut length = None;
        let mut is_chunked = false;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = Some(value.trim().parse()?);
            }
            is_chunked |= line == "transfer-encoding: chunked";
        }
        let body = if is_chunked {
            self.chunks()?
        } else {
            self.bytes(length.context("a response of unknown length")?)?
        };
        if !status.starts_with("HTTP/1.1 2") {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line()?, 16)?;
            body.extend(self.bytes(length)?);
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        line.truncate(line.trim_end().len());
        Ok(line)
    }
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
