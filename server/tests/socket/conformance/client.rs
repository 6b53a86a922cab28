//! A client that writes any bytes, and checks every byte that it receives.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{CLOSE, Case, FIN, PONG, Part, TEXT, Writes, close};

/// How long the node may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client waits between the parts of a case. Autobahn waits for a second.
const PAUSE: Duration = Duration::from_millis(200);

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

    /// Sends the parts of a case, and compares what comes back. A socket that stays open is closed with 1000.
    pub fn run(mut self, case: &Case, writes: Writes) -> Result<(), String> {
        let (last, others) = case.parts.split_last().ok_or("a case without parts")?;
        for part in others {
            self.send(part, writes);
            self.expect(&part.answers)?;
            self.expect_silence()?;
        }
        self.send(last, writes);
        self.expect(&last.answers)?;
        if case.closed.is_none() {
            self.write(&close(1000, b""));
        }
        let code = case.closed.unwrap_or(1000);
        self.expect(&[Received::Close((code != NO_CODE).then_some(code))])?;
        self.end(case.closed.is_none())
    }

    /// Sends all bytes while it reads, until the node closes the socket. Returns what came before that, and the code.
    pub fn flood(mut self, bytes: Vec<u8>) -> Result<(Vec<Received>, Option<u16>), String> {
        let writer = self.stream.try_clone();
        let mut writer = writer.map_err(|error| error.to_string())?;
        // The node may have closed the socket before all is written.
        let writing = thread::spawn(move || drop(writer.write_all(&bytes)));
        let mut received = Vec::new();
        let code = loop {
            match self.frame()? {
                Received::Close(code) => break code,
                other => received.push(other),
            }
        };
        writing.join().map_err(|_| "the writer panicked")?;
        self.end(false).map(|()| (received, code))
    }

    fn send(&mut self, part: &Part, writes: Writes) {
        let bytes = part.frames.concat();
        match writes {
            Writes::One => self.write(&bytes),
            Writes::EachFrame => part.frames.iter().for_each(|frame| self.write(frame)),
            Writes::Pieces(size) => bytes.chunks(size).for_each(|piece| self.write(piece)),
        }
    }

    /// Writes bytes. The node may have closed the socket before all are written.
    fn write(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes));
    }

    /// Expects these frames.
    fn expect(&mut self, answers: &[Received]) -> Result<(), String> {
        for expected in answers {
            let received = self.frame();
            if received.as_ref() != Ok(expected) {
                return Err(format!("expected {expected:?}, received {received:?}"));
            }
        }
        Ok(())
    }

    /// Expects that the node sends nothing for a while, and keeps the socket open.
    fn expect_silence(&mut self) -> Result<(), String> {
        let set_timeout = |it| self.stream.set_read_timeout(Some(it));
        set_timeout(PAUSE).map_err(|error| error.to_string())?;
        let mut byte = [0];
        let read = (&self.stream).read(&mut byte);
        set_timeout(TIMEOUT).map_err(|error| error.to_string())?;
        match read {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(())
            }
            other => Err(format!(
                "expected nothing before the next part, got {other:?} {byte:?}"
            )),
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
