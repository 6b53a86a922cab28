//! Connections beside the watching ones, on which events are sent: HTTP requests, one at a time on each, or a stream of
//! commands whose responses mean nothing.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Result, bail};
use mio::event::Event;
use mio::{Token, net::TcpStream};

use super::Load;
use crate::http;
use crate::socket::Socket;

/// Their tokens begin here, above those of all watching sockets.
const FIRST: usize = 1 << 32;

pub(super) struct Publishers {
    sockets: Vec<Socket>,
    /// Those without a request under way. They take turns, so that none is closed for being idle.
    free: VecDeque<usize>,
    /// Grows when a system responds more slowly than requests are due: an open loop.
    waiting: VecDeque<String>,
    is_stream: bool,
}

impl Load {
    /// From now on events are HTTP requests on so many connections.
    pub fn publish_by_http(&mut self, server: SocketAddr, connections: usize) -> Result<()> {
        self.publish(server, connections, false)
    }

    /// From now on events are commands on one connection, none of which waits for a response.
    pub fn publish_by_stream(&mut self, server: SocketAddr) -> Result<()> {
        self.publish(server, 1, true)
    }

    fn publish(&mut self, server: SocketAddr, count: usize, is_stream: bool) -> Result<()> {
        let sockets = (0..count).map(|index| {
            let stream = std::net::TcpStream::connect(server)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            Socket::register(
                TcpStream::from_std(stream),
                &self.poll,
                Token(FIRST + index),
            )
        });
        self.publishers = Some(Publishers {
            sockets: sockets.collect::<Result<_>>()?,
            free: (0..count).collect(),
            waiting: VecDeque::new(),
            is_stream,
        });
        Ok(())
    }

    pub fn has_publishers(&self) -> bool {
        self.publishers.is_some()
    }
}

impl Publishers {
    /// Sends a request on a free connection, now or when there is one.
    pub(super) fn send(&mut self, request: String) {
        if self.is_stream {
            self.sockets[0]
                .unwritten
                .extend_from_slice(request.as_bytes());
        } else {
            self.waiting.push_back(request);
            self.send_waiting();
        }
    }

    /// Writes what was added to a stream.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.is_stream {
            self.sockets[0].flush()?;
        }
        Ok(())
    }

    fn send_waiting(&mut self) {
        while !self.free.is_empty()
            && let Some(request) = self.waiting.pop_front()
            && let Some(index) = self.free.pop_front()
        {
            self.sockets[index].write(request.as_bytes());
        }
    }

    /// Reads and writes on the connection of an event. A response that is no success is an error.
    pub(super) fn handle(&mut self, event: &Event, chunk: &mut [u8]) -> Result<()> {
        let index = event.token().0 - FIRST;
        let socket = &mut self.sockets[index];
        if event.is_writable() {
            socket.flush()?;
        }
        if !event.is_readable() {
            return Ok(());
        }
        if !socket.read(chunk) {
            bail!("the system closed a connection on which events are sent");
        }
        if self.is_stream {
            socket.unread.clear();
            return Ok(());
        }
        while let Some(body) = http::response(&socket.unread)? {
            socket.unread.drain(..body.end);
            self.free.push_back(index);
        }
        self.send_waiting();
        Ok(())
    }
}
