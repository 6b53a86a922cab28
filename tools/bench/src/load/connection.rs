//! One socket of the load.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use memchr::memmem;
use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

use super::meter::{Meter, Tally};
use crate::ws::{self, Kind};

/// Connections from one source address; a system has some 28,000 ports for each.
const PER_ADDRESS: usize = 10_000;
/// What the kernel keeps for a watcher that reads nothing, in bytes.
const LEAST_BUFFER: usize = 4 * 1024;

/// What a socket says until it watches its room.
#[derive(Debug, Clone)]
pub struct Script {
    /// The HTTP request.
    pub request: String,
    /// Text frames to send, each after a frame that contains the given text; the first ones are sent at once.
    pub steps: Vec<Step>,
    /// What the frame contains that tells that the socket watches.
    pub ready: &'static str,
}

/// One frame of a [`Script`].
#[derive(Debug, Clone)]
pub struct Step {
    /// The awaited text; empty to wait for nothing.
    pub after: &'static str,
    /// The frame's payload.
    pub send: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Handshake,
    Script(usize),
    Ready,
    Closed,
}

/// A socket that watches a room.
pub struct Connection {
    /// The room's place among the rooms of the load.
    pub room: usize,
    /// What has arrived.
    pub tally: Tally,
    /// It reads nothing: a watcher that is asleep.
    pub mute: bool,
    pub(super) stream: TcpStream,
    stage: Stage,
    script: Rc<Script>,
    /// The start of a frame whose end has not arrived.
    rest: Vec<u8>,
    unsent: Vec<u8>,
}

impl Connection {
    /// Begins to connect; the `index` of the connection chooses its source address.
    pub(super) fn open(
        server: SocketAddr,
        index: usize,
        room: usize,
        script: Rc<Script>,
        dead: bool,
    ) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if dead {
            socket.set_recv_buffer_size(LEAST_BUFFER)?;
        }
        // Ends at once, with a reset: ten thousand ports that wait a minute for stray packets would be missed later.
        socket.set_linger(Some(Duration::ZERO))?;
        if index >= PER_ADDRESS {
            let last = u8::try_from(1 + index / PER_ADDRESS).context("too many connections")?;
            socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into())?;
        }
        match socket.connect(&server.into()) {
            Err(error)
                if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) =>
            {
                return Err(error).context("connecting");
            }
            _ => {}
        }
        Ok(Self {
            room,
            tally: Tally::default(),
            mute: false,
            stream: TcpStream::from_std(socket.into()),
            stage: Stage::Handshake,
            unsent: script.request.clone().into_bytes(),
            script,
            rest: Vec::new(),
        })
    }

    /// Does it watch its room?
    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// Has it ended?
    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Adds a text frame to what is to be written.
    pub(super) fn say(&mut self, payload: &[u8]) {
        self.unsent.extend_from_slice(&ws::from_client(payload));
    }

    /// Writes what the kernel takes; the rest waits until the socket is writable.
    pub(super) fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return,
                Err(_) => return self.stage = Stage::Closed,
            }
        }
    }

    /// Reads all that has arrived. `chunk` is where it is put for a moment.
    pub(super) fn read(&mut self, chunk: &mut [u8], meter: &mut Meter) {
        while !self.mute && !self.is_closed() {
            let kept = self.rest.len();
            chunk[..kept].copy_from_slice(&self.rest);
            match self.stream.read(&mut chunk[kept..]) {
                Ok(0) => self.stage = Stage::Closed,
                Ok(read) => {
                    let filled = kept + read;
                    meter.look_at_the_clock();
                    let used = self.take(&chunk[..filled], meter);
                    self.rest.clear();
                    self.rest.extend_from_slice(&chunk[used..filled]);
                    // A short read emptied the socket: the next frame is an event of its own.
                    if filled < chunk.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.stage = Stage::Closed,
            }
        }
        if !self.unsent.is_empty() {
            self.flush();
        }
    }

    /// Takes whole frames; how many bytes they are.
    fn take(&mut self, bytes: &[u8], meter: &mut Meter) -> usize {
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
                    meter.data(frame.payload, &mut self.tally);
                }
                Kind::Data => self.advance(frame.payload),
                Kind::Ping => self.unsent.extend_from_slice(&ws::pong(frame.payload)),
                Kind::Close => self.stage = Stage::Closed,
                Kind::Pong => {}
            }
        }
        used
    }

    /// Goes on in the script with a frame that has arrived, or with none.
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
                    self.say(step.send.as_bytes());
                    Stage::Script(at + 1)
                }
                None => Stage::Ready,
            };
        }
    }
}
