//! Connections beside the watching ones, on which events are sent: HTTP requests, one at a time on each, or a stream of
//! commands that nobody waits for.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::SocketAddr;

use anyhow::{Result, bail};
use memchr::memmem;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Token};

use super::Load;

/// Their tokens begin here, above all watching sockets' ones.
const FIRST: usize = 1 << 32;

/// All of them, and what waits for one to be free.
#[derive(Default)]
pub(super) struct Posts {
    connections: Vec<Connection>,
    /// Those without a request under way.
    free: Vec<usize>,
    /// Grows when a system answers more slowly than requests are due: an open loop. Ends with the run.
    waiting: VecDeque<String>,
    /// Answers that were no success.
    refused: u64,
    /// Whether answers are waited for.
    streams: bool,
}

struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    unsent: Vec<u8>,
}

impl Load {
    /// Opens connections for events that are sent by [`super::Via::Posts`]. On one that `streams` everything is sent at
    /// once, and answers mean nothing.
    ///
    /// # Errors
    /// When the server takes none.
    pub fn post_to(&mut self, server: SocketAddr, connections: usize, streams: bool) -> Result<()> {
        self.posts.streams = streams;
        for index in 0..connections {
            let mut stream = TcpStream::from_std({
                let stream = std::net::TcpStream::connect(server)?;
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                stream
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            let token = Token(FIRST + index);
            self.poll
                .registry()
                .register(&mut stream, token, interest)?;
            self.posts.free.push(index);
            self.posts.connections.push(Connection {
                stream,
                unread: Vec::new(),
                unsent: Vec::new(),
            });
        }
        Ok(())
    }

    /// Waits for nothing more of what was posted; how many posts were refused, or never answered.
    ///
    /// # Errors
    /// When a post was refused.
    pub fn posted(&self) -> Result<()> {
        match self.posts.refused {
            0 => Ok(()),
            refused => bail!("{refused} posts were refused"),
        }
    }
}

impl Posts {
    /// Sends a request on a free connection, now or when there is one.
    pub(super) fn send(&mut self, request: String) {
        if self.streams {
            let stream = &mut self.connections[0];
            stream.unsent.extend_from_slice(request.as_bytes());
            return;
        }
        self.waiting.push_back(request);
        self.send_waiting();
    }

    /// Writes what was gathered on a stream.
    pub(super) fn flush(&mut self) {
        if self.streams {
            self.connections[0].flush();
        }
    }

    fn send_waiting(&mut self) {
        while let Some(index) = self.free.pop() {
            let Some(request) = self.waiting.pop_front() else {
                self.free.push(index);
                return;
            };
            self.connections[index].say(request.as_bytes());
        }
    }

    /// Does what the kernel tells of one of them.
    pub(super) fn told(&mut self, event: &Event) {
        let index = event.token().0 - FIRST;
        let connection = &mut self.connections[index];
        if event.is_writable() {
            connection.flush();
        }
        if !event.is_readable() || !connection.read() {
            return;
        }
        if self.streams {
            connection.unread.clear();
            return;
        }
        while let Some(is_success) = connection.answer() {
            self.refused += u64::from(!is_success);
            self.free.push(index);
        }
        self.send_waiting();
    }
}

impl Connection {
    fn say(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
        self.flush();
    }

    fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(_) => return,
            }
        }
    }

    /// Reads what has arrived; whether it is open.
    fn read(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return false,
                Ok(read) => self.unread.extend_from_slice(&chunk[..read]),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Takes a whole answer, if there is one; whether it is a success.
    fn answer(&mut self) -> Option<bool> {
        let head = memmem::find(&self.unread, b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&self.unread[..head]).to_ascii_lowercase();
        let length = text.split_once("content-length: ")?.1;
        let length: usize = length.split("\r\n").next()?.parse().ok()?;
        if self.unread.len() < head + length {
            return None;
        }
        self.unread.drain(..head + length);
        Some(text.starts_with("http/1.1 2"))
    }
}
