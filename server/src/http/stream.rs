//! A connection, and how long its client is waited for.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;

use crate::admission::slots::Slot;

/// How long a client may be waited for although it takes little or nothing of an answer.
const GRACE: Duration = Duration::from_secs(30);
/// What it takes in bytes earns a further second, until the grace is whole again: half of what the slowest mobile
/// tariffs carry.
const BYTES_PER_SECOND: u32 = 4 * 1024;

/// A connection that was let in. It holds its place, and ends when its client takes an answer too slowly.
pub struct Accepted {
    stream: TcpStream,
    patience: Patience,
    _slot: Slot,
}

impl Accepted {
    pub(super) fn new(stream: TcpStream, slot: Slot) -> Self {
        Self {
            stream,
            patience: Patience::default(),
            _slot: slot,
        }
    }

    /// The connection alone after an upgrade, and what was read of it before that was done: its place is free again, and
    /// nothing hurries its client any more.
    ///
    /// # Errors
    /// When the connection is not one that was let in here.
    pub fn of_upgraded(upgraded: Upgraded) -> io::Result<(TcpStream, Bytes)> {
        let parts = downcast::<TokioIo<Self>>(upgraded)
            .map_err(|_| io::Error::other("an upgraded connection of an unknown kind"))?;
        Ok((parts.io.into_inner().stream, parts.read_buf))
    }

    /// What came of a write. A client that is given up gets a reset: closed in the usual way, the kernel would keep what
    /// it has not taken, and try to send it for another minute.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => self.patience.taken(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                ready!(self.patience.poll_end(cx));
                self.stream.set_zero_linger()?;
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        written
    }
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// How long a client is still waited for. Only waiting counts: a node that is busy is not the client's fault.
struct Patience {
    left: Duration,
    /// Since when the client is waited for.
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            left: GRACE,
            since: None,
            timer: None,
        }
    }
}

impl Patience {
    /// Whether it has come to its end. Otherwise the task is woken up when it does.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let end = since + self.left;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(cx)
    }

    /// The client has taken this many bytes.
    fn taken(&mut self, bytes: usize) {
        let waited = self.since.take().map(|since| since.elapsed());
        let earned = Duration::from_secs(bytes as u64) / BYTES_PER_SECOND;
        self.left = self.left.saturating_sub(waited.unwrap_or_default());
        self.left = (self.left + earned).min(GRACE);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures::FutureExt;

    use super::*;

    /// Whether the client is given up when it has taken nothing for so many seconds.
    fn is_over(patience: &mut Patience, seconds: u64) -> bool {
        patience.since = Instant::now().checked_sub(Duration::from_secs(seconds));
        let end = poll_fn(|cx| patience.poll_end(cx));
        end.now_or_never().is_some()
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up_after_the_grace() {
        let mut patience = Patience::default();
        assert!(!is_over(&mut patience, 29));
        assert!(is_over(&mut patience, 31));
    }

    #[tokio::test]
    async fn a_client_that_trickles_is_given_up_although_it_takes_something_each_time() {
        let mut patience = Patience::default();
        for _ in 0..5 {
            assert!(!is_over(&mut patience, 5));
            patience.taken(10);
        }
        assert!(is_over(&mut patience, 6));
    }

    #[tokio::test]
    async fn what_is_taken_earns_time_but_no_more_than_the_grace() {
        let mut patience = Patience::default();
        for _ in 0..100 {
            assert!(!is_over(&mut patience, 10));
            patience.taken(10 * 4 * 1024);
        }
        patience.taken(1024 * 1024 * 1024);
        assert!(is_over(&mut patience, 31));
    }
}
