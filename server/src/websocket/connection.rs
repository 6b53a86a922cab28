//! The connection under a WebSocket.

use std::io::{self, IoSlice};

use rustix::io::Errno;
use rustix::net::SendFlags;
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;

/// How much is read at once, in bytes. On the stack: an idle connection has no buffer.
const READ: usize = 4 * 1024;

/// A connection after its upgrade. Reading and writing never wait; waiting for either takes no buffer.
pub struct Connection(TcpStream);

impl From<TcpStream> for Connection {
    fn from(stream: TcpStream) -> Self {
        Self(stream)
    }
}

impl Connection {
    /// Waits until something can be read. Other tasks have their turn now and then, however often something can.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn readable(&self) -> io::Result<()> {
        consume_budget().await;
        self.0.readable().await
    }

    /// Waits until something can be written. Other tasks have their turn now and then, however often something can.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn writable(&self) -> io::Result<()> {
        // The runtime does not count this wait, and a loop around one that is over at once would never yield.
        consume_budget().await;
        self.0.writable().await
    }

    /// Gives what can be read now to `take`, at most 4 KiB; false at the end of the stream.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn read(&self, take: impl FnOnce(&[u8])) -> io::Result<bool> {
        let mut buffer = [0; READ];
        match self.0.try_read(&mut buffer) {
            Ok(0) => Ok(false),
            Ok(length) => {
                take(&buffer[..length]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Writes as much as can be written now, perhaps nothing; how many bytes.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        // The kernel is asked directly: looking up the runtime's readiness first costs a twentieth of a fan-out, and the
        // runtime has to know only of what the kernel did not take. (Rust's runtime ignores SIGPIPE.)
        match rustix::net::send(&self.0, bytes, SendFlags::empty()) {
            Err(Errno::AGAIN | Errno::INTR) => written(self.0.try_write(bytes)),
            sent => Ok(sent?),
        }
    }

    /// Has the connection reset when it is dropped: closed in the usual way, the kernel would keep what the peer has not
    /// taken, and try to send it for another minute.
    pub fn reset_on_drop(&self) {
        // A connection that is broken already has nothing to reset.
        _ = self.0.set_zero_linger();
    }

    /// The same from several pieces.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn write_pieces(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        written(self.0.try_write_vectored(pieces))
    }
}

fn written(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
