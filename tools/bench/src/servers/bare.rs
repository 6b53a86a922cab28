//! The bare program: as little as it takes to send a frame to every socket of a room. One thread, no library but one
//! that asks the kernel which sockets are ready; the frame is made once, and written to each socket.
//!
//! It writes each frame by itself, which is what a frame costs under light load; or it merges all that wait for a room
//! into one write, which is what can be saved when there are more frames than writes.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use memchr::memmem;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::socket::Socket;
use crate::ws::{self, Kind};

const LISTENER: Token = Token(usize::MAX);
const ROUND: usize = 1_024;

struct Server {
    poll: Poll,
    /// By their tokens. A token is not used twice: this server lives as long as one measurement.
    members: Vec<Option<Member>>,
    rooms: Rooms,
    merge_frames: bool,
}

struct Member {
    socket: Socket,
    /// Its room, once it has asked for one.
    room: Option<usize>,
}

#[derive(Default)]
struct Rooms {
    by_name: HashMap<String, usize>,
    all: Vec<Room>,
    /// Those with frames to be written.
    waiting: Vec<usize>,
}

#[derive(Default)]
struct Room {
    /// Their tokens.
    members: Vec<usize>,
    /// Frames of this round, to be written.
    frames: Vec<Vec<u8>>,
}

/// Serves until the process ends.
pub fn serve(port: u16, merge_frames: bool) -> Result<()> {
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        poll,
        members: Vec::new(),
        rooms: Rooms::default(),
        merge_frames,
    };
    let mut events = Events::with_capacity(ROUND);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        server.poll.poll(&mut events, None)?;
        for event in &events {
            let token = event.token().0;
            if event.token() == LISTENER {
                server.accept(&listener)?;
                continue;
            }
            if event.is_writable()
                && let Some(member) = &mut server.members[token]
            {
                // A broken connection shows when it is read.
                let _ = member.socket.flush();
            }
            if event.is_readable() {
                server.read(token, &mut chunk);
            }
        }
        server.write_waiting();
    }
}

impl Server {
    fn accept(&mut self, listener: &TcpListener) -> Result<()> {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nodelay(true)?;
            let token = Token(self.members.len());
            let socket = Socket::register(stream, &self.poll, token)?;
            self.members.push(Some(Member { socket, room: None }));
        }
        Ok(())
    }

    fn read(&mut self, token: usize, chunk: &mut [u8]) {
        let Some(member) = &mut self.members[token] else {
            return;
        };
        let is_open = member.socket.read(chunk);
        if member.room.is_none() {
            member.enter(token, &mut self.rooms);
        }
        let mut used = 0;
        while let Some(frame) = ws::frame(&member.socket.unread[used..]) {
            used += frame.length;
            if let (Kind::Data, Some(room)) = (frame.kind, member.room) {
                self.rooms.publish(room, ws::from_server(&frame.unmasked()));
            }
        }
        member.socket.unread.drain(..used);
        if !is_open {
            let room = member.room;
            self.members[token] = None;
            if let Some(room) = room {
                self.rooms.all[room]
                    .members
                    .retain(|member| *member != token);
            }
        }
    }

    fn write_waiting(&mut self) {
        for room in std::mem::take(&mut self.rooms.waiting) {
            let room = &mut self.rooms.all[room];
            let mut frames = std::mem::take(&mut room.frames);
            if self.merge_frames {
                frames = vec![frames.concat()];
            }
            for frame in frames {
                for member in &room.members {
                    if let Some(member) = &mut self.members[*member] {
                        member.socket.write(&frame);
                    }
                }
            }
        }
    }
}

impl Rooms {
    fn publish(&mut self, room: usize, frame: Vec<u8>) {
        let frames = &mut self.all[room].frames;
        if frames.is_empty() {
            self.waiting.push(room);
        }
        frames.push(frame);
    }
}

impl Member {
    /// Answers the handshake, if it is there, and enters the room that its path names.
    fn enter(&mut self, token: usize, rooms: &mut Rooms) {
        let Some(end) = memmem::find(&self.socket.unread, b"\r\n\r\n") else {
            return;
        };
        let request = String::from_utf8_lossy(&self.socket.unread[..end]).into_owned();
        self.socket.unread.drain(..end + 4);
        let path = request.split(' ').nth(1).unwrap_or_default();
        let room = *rooms
            .by_name
            .entry(path.to_owned())
            .or_insert(rooms.all.len());
        if room == rooms.all.len() {
            rooms.all.push(Room::default());
        }
        rooms.all[room].members.push(token);
        self.room = Some(room);
        self.socket
            .write(&[ws::response().as_bytes(), &ws::from_server(b"ready")].concat());
    }
}
