//! One watching socket of the load.

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use memchr::memmem;
use mio::net::TcpStream;
use mio::{Poll, Token};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};

use super::recorder::{Received, Recorder};
use crate::socket::Socket;
use crate::ws::{self, Kind};

/// A source address has some 28,000 ports.
const PER_ADDRESS: usize = 10_000;
/// What the kernel keeps for a stalled watcher, in bytes.
const LEAST_BUFFER: usize = 4 * 1024;

/// What a socket sends until it watches its room.
#[derive(Debug, Clone)]
pub struct Script {
    /// The HTTP request.
    pub request: String,
    pub steps: Vec<Step>,
    /// The text in a frame that says that the socket watches.
    pub ready: &'static str,
}

/// A text frame, sent after a frame has arrived that contains `after`; at once if that is empty.
#[derive(Debug, Clone)]
pub struct Step {
    pub after: &'static str,
    pub send: String,
}

impl Step {
    pub fn new(after: &'static str, send: String) -> Self {
        Self { after, send }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Handshake,
    Script(usize),
    Ready,
    Closed,
}

pub struct Connection {
    /// The room's index.
    pub room: usize,
    pub received: Received,
    /// It reads nothing any more.
    pub stalled: bool,
    pub(super) socket: Socket,
    stage: Stage,
    script: Rc<Script>,
}

impl Connection {
    /// Begins to connect; the `index` of the connection determines its source address.
    pub(super) fn open(
        server: SocketAddr,
        poll: &Poll,
        index: usize,
        room: usize,
        script: Rc<Script>,
        will_stall: bool,
    ) -> Result<Self> {
        let raw = RawSocket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        raw.set_nonblocking(true)?;
        raw.set_tcp_nodelay(true)?;
        if will_stall {
            raw.set_recv_buffer_size(LEAST_BUFFER)?;
        }
        // Closed by a reset: ten thousand ports that wait a minute for stray packets would be missed later.
        raw.set_linger(Some(Duration::ZERO))?;
        if index >= PER_ADDRESS {
            let last = u8::try_from(1 + index / PER_ADDRESS).context("too many connections")?;
            raw.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into())?;
        }
        let in_progress = Some(rustix::io::Errno::INPROGRESS.raw_os_error());
        if let Err(error) = raw.connect(&server.into())
            && error.raw_os_error() != in_progress
        {
            return Err(error).context("connecting");
        }
        let mut socket = Socket::register(TcpStream::from_std(raw.into()), poll, Token(index))?;
        socket
            .unwritten
            .extend_from_slice(script.request.as_bytes());
        Ok(Self {
            room,
            received: Received::default(),
            stalled: false,
            socket,
            stage: Stage::Handshake,
            script,
        })
    }

    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Adds a text frame to what the next flush writes.
    pub(super) fn queue(&mut self, payload: &[u8]) {
        self.socket.unwritten.extend(ws::from_client(payload));
    }

    pub(super) fn flush(&mut self) {
        if self.socket.flush().is_err() {
            self.stage = Stage::Closed;
        }
    }

    /// Reads all that has arrived into `chunk`, from which complete frames are used without being copied.
    pub(super) fn read(&mut self, chunk: &mut [u8], recorder: &mut Recorder) {
        while !self.stalled && !self.is_closed() {
            let kept = self.socket.unread.len();
            chunk[..kept].copy_from_slice(&self.socket.unread);
            match self.socket.stream.read(&mut chunk[kept..]) {
                Ok(0) => self.stage = Stage::Closed,
                Ok(read) => {
                    let filled = kept + read;
                    recorder.read_clock();
                    let used = self.use_frames(&chunk[..filled], recorder);
                    self.socket.unread.clear();
                    self.socket.unread.extend_from_slice(&chunk[used..filled]);
                    // A short read emptied the socket: what comes next is an event of its own.
                    if filled < chunk.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.stage = Stage::Closed,
            }
        }
        if !self.socket.unwritten.is_empty() {
            self.flush();
        }
    }

    /// Uses complete frames; how many bytes they are.
    fn use_frames(&mut self, bytes: &[u8], recorder: &mut Recorder) -> usize {
        let mut used = 0;
        if self.stage == Stage::Handshake {
            let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
                return 0;
            };
            used = end + 4;
            self.stage = if bytes.starts_with(b"HTTP/1.1 101") {
                Stage::Script(0)
            } else {
                Stage::Closed
            };
            self.advance(&[]);
        }
        while let Some(frame) = ws::frame(&bytes[used..]) {
            used += frame.length;
            match frame.kind {
                Kind::Data if self.stage == Stage::Ready => {
                    recorder.record(frame.payload, &mut self.received);
                }
                Kind::Data => self.advance(frame.payload),
                Kind::Ping => self.socket.unwritten.extend(ws::pong(frame.payload)),
                Kind::Close => self.stage = Stage::Closed,
                Kind::Pong => {}
            }
        }
        used
    }

    /// Continues the script with a frame that has arrived, or with none.
    fn advance(&mut self, payload: &[u8]) {
        let script = Rc::clone(&self.script);
        while let Stage::Script(at) = self.stage {
            let step = script.steps.get(at);
            let awaited = step.map_or(script.ready, |step| step.after);
            if !awaited.is_empty() && memmem::find(payload, awaited.as_bytes()).is_none() {
                return;
            }
            self.stage = match step {
                Some(step) => {
                    self.queue(step.send.as_bytes());
                    Stage::Script(at + 1)
                }
                None => Stage::Ready,
            };
        }
    }
}
