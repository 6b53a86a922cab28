//! The connection under a WebSocket.

use std::io::{self, IoSlice};

use rustix::io::Errno;
use rustix::net::SendFlags;
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;

/// The size of the read buffer in bytes. It is on the stack, so that an idle connection has no buffer.
const READ_BUFFER_SIZE: usize = 4 * 1024;

/// A connection after its upgrade. Reading and writing do not block, and waiting for either needs no buffer.
pub struct Connection(TcpStream);

impl From<TcpStream> for Connection {
    fn from(stream: TcpStream) -> Self {
        Self(stream)
    }
}

impl Connection {
    /// Waits until something can be read. Consumes the task's budget, so that a loop around it yields.
    ///
    /// # Errors
    /// The connection's error.
    pub async fn readable(&self) -> io::Result<()> {
        consume_budget().await;
        self.0.readable().await
    }

    /// Waits until something can be written. Consumes the task's budget, so that a loop around it yields.
    ///
    /// # Errors
    /// The connection's error.
    pub async fn writable(&self) -> io::Result<()> {
        // `writable` itself consumes no budget, and returns at once while the socket is writable.
        consume_budget().await;
        self.0.writable().await
    }

    /// Passes what can be read now, at most 4 KiB, to `handle`. Returns false at the end of the stream.
    ///
    /// # Errors
    /// The connection's error.
    pub fn read(&self, handle: impl FnOnce(&[u8])) -> io::Result<bool> {
        let mut buffer = [0; READ_BUFFER_SIZE];
        match self.0.try_read(&mut buffer) {
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
        // Checking the runtime's readiness first would cost 5 % of a fan-out, and the runtime has to know only when the
        // kernel accepts no more. (Rust's runtime ignores SIGPIPE.)
        match rustix::net::send(&self.0, bytes, SendFlags::empty()) {
            Err(Errno::AGAIN | Errno::INTR) => ready(self.0.try_write(bytes)),
            sent => Ok(sent?),
        }
    }

    /// Makes dropping reset the connection. After a usual close, the kernel would keep unsent bytes and try to send
    /// them for about a minute.
    pub fn reset_on_drop(&self) {
        // This fails only if the connection is broken already.
        _ = self.0.set_zero_linger();
    }

    /// Writes as much of several slices as can be written now, and returns the number of bytes.
    ///
    /// # Errors
    /// The connection's error.
    pub fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        ready(self.0.try_write_vectored(slices))
    }
}

/// Turns `WouldBlock` into 0 written bytes.
fn ready(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
