//! The floor: as little as a program can do to hand a frame to every socket of a room. One thread, no library but one
//! that asks the kernel which sockets are ready; the frame is made once, and written to each socket.
//!
//! It writes each frame alone, or all that wait for a room at once: the first is what a frame costs under light load,
//! the second what can be saved when there are more of them than writes.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use memchr::memmem;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::ws::{self, Kind};

const LISTENER: Token = Token(usize::MAX);
const ROUND: usize = 1_024;

struct Server {
    poll: Poll,
    /// By their tokens. A token is not given twice: this server lives as long as one measurement.
    sockets: Vec<Option<Socket>>,
    rooms: Rooms,
    together: bool,
}

#[derive(Default)]
struct Rooms {
    places: HashMap<String, usize>,
    all: Vec<Room>,
    /// Those with frames to be written.
    waiting: Vec<usize>,
}

struct Socket {
    stream: TcpStream,
    /// Its room, once it has asked for one.
    room: Option<usize>,
    unread: Vec<u8>,
    /// What the kernel did not take.
    unwritten: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<usize>,
    /// Frames to be written, of this round.
    frames: Vec<Vec<u8>>,
}

/// Serves until the process ends.
///
/// # Errors
/// When it cannot listen.
pub fn serve(port: u16, together: bool) -> Result<()> {
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        poll,
        sockets: Vec::new(),
        rooms: Rooms::default(),
        together,
    };
    let mut events = Events::with_capacity(ROUND);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        server.poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                server.accept(&listener)?;
                continue;
            }
            if event.is_writable() {
                server.flush(event.token().0);
            }
            if event.is_readable() {
                server.read(event.token().0, &mut chunk);
            }
        }
        server.write_waiting();
    }
}

impl Server {
    fn accept(&mut self, listener: &TcpListener) -> Result<()> {
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nodelay(true)?;
            let token = Token(self.sockets.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut stream, token, interest)?;
            self.sockets.push(Some(Socket {
                stream,
                room: None,
                unread: Vec::new(),
                unwritten: Vec::new(),
            }));
        }
        Ok(())
    }

    fn flush(&mut self, token: usize) {
        if let Some(socket) = &mut self.sockets[token] {
            socket.flush();
        }
    }

    fn read(&mut self, token: usize, chunk: &mut [u8]) {
        let Some(socket) = &mut self.sockets[token] else {
            return;
        };
        let is_open = socket.read(chunk);
        if socket.room.is_none() {
            socket.enter(token, &mut self.rooms);
        }
        let mut used = 0;
        while let Some(frame) = ws::frame(&socket.unread[used..]) {
            used += frame.length;
            if let (Kind::Data, Some(room)) = (frame.kind, socket.room) {
                self.rooms.publish(room, ws::from_server(&frame.unmasked()));
            }
        }
        socket.unread.drain(..used);
        if !is_open {
            self.leave(token);
        }
    }

    fn leave(&mut self, token: usize) {
        if let Some(room) = self.sockets[token].take().and_then(|socket| socket.room) {
            self.rooms.all[room]
                .members
                .retain(|member| *member != token);
        }
    }

    fn write_waiting(&mut self) {
        for room in std::mem::take(&mut self.rooms.waiting) {
            let room = &mut self.rooms.all[room];
            let mut frames = std::mem::take(&mut room.frames);
            if self.together {
                frames = vec![frames.concat()];
            }
            for frame in frames {
                for member in &room.members {
                    if let Some(socket) = &mut self.sockets[*member] {
                        socket.write(&frame);
                    }
                }
            }
        }
    }
}

impl Rooms {
    fn enter(&mut self, name: &str, token: usize) -> usize {
        let room = *self.places.entry(name.to_owned()).or_insert(self.all.len());
        if room == self.all.len() {
            self.all.push(Room::default());
        }
        self.all[room].members.push(token);
        room
    }

    fn publish(&mut self, room: usize, frame: Vec<u8>) {
        let frames = &mut self.all[room].frames;
        if frames.is_empty() {
            self.waiting.push(room);
        }
        frames.push(frame);
    }
}

impl Socket {
    /// Reads all that has arrived; whether more may come.
    fn read(&mut self, chunk: &mut [u8]) -> bool {
        loop {
            match self.stream.read(chunk) {
                Ok(0) => return false,
                Ok(read) => {
                    self.unread.extend_from_slice(&chunk[..read]);
                    if read < chunk.len() {
                        return true;
                    }
                }
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Answers the handshake, if it is there, and joins the room that it names.
    fn enter(&mut self, token: usize, rooms: &mut Rooms) {
        let Some(end) = memmem::find(&self.unread, b"\r\n\r\n") else {
            return;
        };
        let request = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        self.unread.drain(..end + 4);
        let path = request.split(' ').nth(1).unwrap_or_default();
        self.room = Some(rooms.enter(path, token));
        self.write(&[ws::accepted().as_bytes(), &ws::from_server(b"ready")].concat());
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut written = 0;
        if self.unwritten.is_empty() {
            written = self.stream.write(bytes).unwrap_or(0);
        }
        self.unwritten.extend_from_slice(&bytes[written..]);
    }

    fn flush(&mut self) {
        while !self.unwritten.is_empty() {
            match self.stream.write(&self.unwritten) {
                Ok(written) => drop(self.unwritten.drain(..written)),
                Err(_) => return,
            }
        }
    }
}
