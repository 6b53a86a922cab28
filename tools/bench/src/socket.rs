//! A non-blocking connection with buffers.

use std::io::{self, Read, Write};

use anyhow::Result;
use mio::net::TcpStream;
use mio::{Interest, Poll, Token};

pub struct Socket {
    pub stream: TcpStream,
    /// What has arrived and was not used yet.
    pub unread: Vec<u8>,
    /// What waits until the kernel takes it.
    pub unwritten: Vec<u8>,
}

impl Socket {
    pub fn register(mut stream: TcpStream, poll: &Poll, token: Token) -> Result<Self> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, token, interest)?;
        Ok(Self {
            stream,
            unread: Vec::new(),
            unwritten: Vec::new(),
        })
    }

    /// Reads all that has arrived; whether the connection is still open.
    pub fn read(&mut self, chunk: &mut [u8]) -> bool {
        loop {
            match self.stream.read(chunk) {
                Ok(0) => return false,
                Ok(read) => {
                    self.unread.extend_from_slice(&chunk[..read]);
                    // A short read emptied the socket: what comes next is an event of its own.
                    if read < chunk.len() {
                        return true;
                    }
                }
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Writes what the kernel takes, and keeps the rest until the socket is writable.
    pub fn write(&mut self, bytes: &[u8]) {
        let mut written = 0;
        if self.unwritten.is_empty() {
            written = self.stream.write(bytes).unwrap_or(0);
        }
        self.unwritten.extend_from_slice(&bytes[written..]);
    }

    /// Writes what the kernel takes of what waits.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            match self.stream.write(&self.unwritten) {
                Ok(written) => drop(self.unwritten.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
