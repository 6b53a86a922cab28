//! The connection under a WebSocket.

use std::io::{self, IoSlice};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::SendFlags;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::coop::consume_budget;

use super::memory::{self, MemoryStream, Peer};

/// The size of the read buffer in bytes. It is on the stack, so that an idle connection has no buffer.
const READ_BUFFER_SIZE: usize = 4 * 1024;

/// A connection after its upgrade. Reading and writing do not block, and waiting for either needs no buffer.
pub struct Connection(Stream);

enum Stream {
    Tcp(TcpStream),
    Memory(MemoryStream),
}

impl From<TcpStream> for Connection {
    fn from(stream: TcpStream) -> Self {
        Self(Stream::Tcp(stream))
    }
}

impl Connection {
    /// Creates a connection within the process, for simulations. At most `capacity` bytes wait for the peer; `written` is
    /// notified when there are new ones, or the connection ends.
    pub fn in_memory(capacity: usize, written: Arc<Notify>) -> (Self, Peer) {
        let (stream, peer) = memory::connection(capacity, written);
        (Self(Stream::Memory(stream)), peer)
    }

    /// Waits until something can be read. Consumes the task's budget, so that a loop around it yields.
    ///
    /// # Errors
    /// The connection's error.
    pub async fn readable(&self) -> io::Result<()> {
        consume_budget().await;
        match &self.0 {
            Stream::Tcp(stream) => stream.readable().await,
            Stream::Memory(stream) => {
                stream.readable().await;
                Ok(())
            }
        }
    }

    /// Waits until something can be written. Consumes the task's budget, so that a loop around it yields.
    ///
    /// # Errors
    /// The connection's error.
    pub async fn writable(&self) -> io::Result<()> {
        // `writable` itself consumes no budget, and returns at once while the socket is writable.
        consume_budget().await;
        match &self.0 {
            Stream::Tcp(stream) => stream.writable().await,
            Stream::Memory(stream) => {
                stream.writable().await;
                Ok(())
            }
        }
    }

    /// Passes what can be read now, at most 4 KiB, to `handle`. Returns false at the end of the stream.
    ///
    /// # Errors
    /// The connection's error.
    pub fn read(&self, handle: impl FnOnce(&[u8])) -> io::Result<bool> {
        let mut buffer = [0; READ_BUFFER_SIZE];
        let read = match &self.0 {
            Stream::Tcp(stream) => stream.try_read(&mut buffer),
            Stream::Memory(stream) => stream.try_read(&mut buffer),
        };
        match read {
            Ok(0) => Ok(false),
            Ok(length) => {
                handle(&buffer[..length]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Writes as much as can be written now, and returns the number of bytes, which may be 0.
    ///
    /// # Errors
    /// The connection's error.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let stream = match &self.0 {
            Stream::Tcp(stream) => stream,
            Stream::Memory(stream) => return ready(stream.try_write(bytes)),
        };
        // Checking the runtime's readiness first would cost 5 % of a fan-out, and the runtime has to know only when the
        // kernel accepts no more. (Rust's runtime ignores SIGPIPE.)
        match rustix::net::send(stream, bytes, SendFlags::empty()) {
            Err(Errno::AGAIN | Errno::INTR) => ready(stream.try_write(bytes)),
            sent => Ok(sent?),
        }
    }

    /// Makes dropping reset the connection. After a usual close, the kernel would keep unsent bytes and try to send
    /// them for about a minute.
    pub fn reset_on_drop(&self) {
        match &self.0 {
            // This fails only if the connection is broken already.
            Stream::Tcp(stream) => _ = stream.set_zero_linger(),
            Stream::Memory(stream) => stream.reset_on_drop(),
        }
    }

    /// Writes as much of several slices as can be written now, and returns the number of bytes.
    ///
    /// # Errors
    /// The connection's error.
    pub fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        ready(match &self.0 {
            Stream::Tcp(stream) => stream.try_write_vectored(slices),
            Stream::Memory(stream) => stream.try_write_vectored(slices),
        })
    }
}

/// Turns `WouldBlock` into 0 written bytes.
fn ready(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
