//! A client that writes any bytes, and checks every byte that it receives.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::{CLOSE, FIN, PONG, TEXT, close};

/// How long the node may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A frame from the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A refusal of a command, with the id that it repeats.
    Echo(String),
    Pong(Vec<u8>),
    Close(Option<u16>),
}

pub struct Client {
    stream: TcpStream,
    /// The head of the node's answer to the handshake.
    pub handshake: String,
}

impl Client {
    /// Opens a socket, with this header line beside those that are needed.
    pub fn connect(address: SocketAddr, header: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let request = format!(
            "GET /api/socket HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: tonesa.v1\r\n{header}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut handshake = Vec::new();
        while !handshake.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            handshake.extend(byte);
        }
        let handshake = String::from_utf8(handshake).unwrap();
        assert!(handshake.starts_with("HTTP/1.1 101 "), "{handshake}");
        Self { stream, handshake }
    }

    /// Sends the bytes in pieces, and compares what comes back. A socket that stays open is closed with 1000.
    pub fn run(
        mut self,
        bytes: &[u8],
        piece: usize,
        answers: &[Received],
        code: Option<u16>,
    ) -> Result<(), String> {
        self.send(bytes, piece);
        let mut received = Vec::new();
        if code.is_none() {
            while received.len() < answers.len() {
                received.push(self.frame()?);
            }
            self.send(&close(1000, b""), usize::MAX);
        }
        let expected = [
            answers,
            &[Received::Close(
                code.or(Some(1000)).filter(|it| *it != NO_CODE),
            )],
        ]
        .concat();
        while !matches!(received.last(), Some(Received::Close(_))) {
            received.push(self.frame()?);
        }
        if received != expected {
            return Err(format!("expected {expected:?}, received {received:?}"));
        }
        self.end(code.is_none())
    }

    /// Writes the bytes. The node may have closed the socket before all are written.
    fn send(&mut self, bytes: &[u8], piece: usize) {
        for piece in bytes.chunks(piece.max(1)) {
            if self.stream.write_all(piece).is_err() {
                return;
            }
        }
    }

    /// Expects the end of the connection, which is the node's to close. After bytes that it did not read, a reset is
    /// one too.
    fn end(mut self, is_clean: bool) -> Result<(), String> {
        if !is_clean {
            // The node drops what comes behind a violation until the client has closed as well.
            drop(self.stream.shutdown(Shutdown::Write));
        }
        match self.stream.read(&mut [0]) {
            Ok(0) => Ok(()),
            Err(error) if !is_clean && error.kind() == ErrorKind::ConnectionReset => Ok(()),
            other => Err(format!("expected the end of the connection, got {other:?}")),
        }
    }

    /// Reads a frame, which has to be as a node may send it: complete, not masked, with the shortest length.
    fn frame(&mut self) -> Result<Received, String> {
        let [first, length] = self.bytes::<2>()?;
        let length = match length {
            0..=125 => usize::from(length),
            126 => usize::from(u16::from_be_bytes(self.bytes()?)),
            _ => return Err(format!("a length of {length:#x}")),
        };
        let mut payload = vec![0; length];
        self.stream
            .read_exact(&mut payload)
            .map_err(|error| error.to_string())?;
        if first == FIN | TEXT {
            let event: Value =
                serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
            let echo = event["data"]["uploadID"]
                .as_str()
                .filter(|_| event["type"] == "refused");
            return echo
                .map(|echo| Received::Echo(echo.to_owned()))
                .ok_or(event.to_string());
        }
        if first == FIN | PONG && length <= 125 {
            return Ok(Received::Pong(payload));
        }
        if first == FIN | CLOSE && length <= 125 {
            return close_code(&payload).map(Received::Close);
        }
        Err(format!("a frame that begins with {first:#x}"))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        let read = self.stream.read_exact(&mut bytes);
        read.map_err(|error| error.to_string()).map(|()| bytes)
    }
}

/// What a case says for a close frame without a code, by the number that RFC 6455 keeps for it.
pub const NO_CODE: u16 = 1005;

fn close_code(payload: &[u8]) -> Result<Option<u16>, String> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return payload
            .is_empty()
            .then_some(None)
            .ok_or("half a code".to_owned());
    };
    std::str::from_utf8(reason).map_err(|error| error.to_string())?;
    Ok(Some(u16::from_be_bytes(*code)))
}
