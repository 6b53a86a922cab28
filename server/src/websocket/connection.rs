//! The connection under a WebSocket.

use std::io::{self, IoSlice};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use rustix::io::Errno;
use rustix::net::SendFlags;
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;
use tokio_io_timeout::TimeoutStream;

use crate::serve::Accepted;

/// How much is read at once, in bytes. On the stack: an idle connection has no buffer.
const READ: usize = 4 * 1024;

/// What the kernel may keep of a connection before it is sent, in bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 * 1024;

/// A connection after its upgrade. Reading and writing never wait; waiting for either takes no buffer.
pub struct Connection(Accepted);

impl From<TcpStream> for Connection {
    fn from(stream: TcpStream) -> Self {
        Self(Box::pin(TimeoutStream::new(stream)))
    }
}

impl Connection {
    /// The connection itself, and what was read of it before the upgrade was done.
    ///
    /// # Errors
    /// When the connection is not one that [`crate::serve`] accepted.
    pub fn of(upgraded: Upgraded) -> io::Result<(Self, bytes::Bytes)> {
        let parts = downcast::<TokioIo<Accepted>>(upgraded)
            .map_err(|_| io::Error::other("an upgraded connection of an unknown kind"))?;
        let connection = Self(parts.io.into_inner());
        connection.keep_little_in_the_kernel();
        Ok((connection, parts.read_buf))
    }

    /// Lets the kernel keep little that the network has not taken yet: a peer that reads nothing would pin up to 4 MiB of
    /// its memory. What a fast connection has under way is not bounded by it.
    fn keep_little_in_the_kernel(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Err(error) = socket2::SockRef::from(self.stream()).set_tcp_notsent_lowat(UNSENT) {
            tracing::debug!(%error, "the kernel keeps as much of a socket as it likes");
        }
    }

    /// Waits until something can be read. Other tasks have their turn now and then, however often something can.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn readable(&self) -> io::Result<()> {
        consume_budget().await;
        self.stream().readable().await
    }

    /// Waits until something can be written. Other tasks have their turn now and then, however often something can.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn writable(&self) -> io::Result<()> {
        // The runtime does not count this wait, and a loop around one that is over at once would never yield.
        consume_budget().await;
        self.stream().writable().await
    }

    /// Gives what can be read now to `take`, at most 4 KiB; false at the end of the stream.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn read(&self, take: impl FnOnce(&[u8])) -> io::Result<bool> {
        let mut buffer = [0; READ];
        match self.stream().try_read(&mut buffer) {
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
        match rustix::net::send(self.stream(), bytes, SendFlags::empty()) {
            Err(Errno::AGAIN | Errno::INTR) => written(self.stream().try_write(bytes)),
            sent => Ok(sent?),
        }
    }

    /// The same from several pieces.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn write_pieces(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        written(self.stream().try_write_vectored(pieces))
    }

    fn stream(&self) -> &TcpStream {
        self.0.as_ref().get_ref().get_ref()
    }
}

fn written(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
