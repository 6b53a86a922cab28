//! A client's connection, with a limit on how slowly the client may read.

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

/// How long writes may wait for the client in all; written bytes give time back (see [`BYTES_PER_SECOND`]).
const MAX_WRITE_WAIT: Duration = Duration::from_secs(30);
/// The number of written bytes that give back one second, up to the whole [`MAX_WRITE_WAIT`]: half of what the slowest
/// mobile data plans provide.
const BYTES_PER_SECOND: u32 = 4 * 1024;

/// An accepted connection. It occupies a slot, and fails when its client reads an answer too slowly.
pub struct ClientStream {
    stream: TcpStream,
    write_limit: WriteTimeLimit,
    _slot: Slot,
}

impl ClientStream {
    pub(super) fn new(stream: TcpStream, slot: Slot) -> Self {
        Self {
            stream,
            write_limit: WriteTimeLimit::default(),
            _slot: slot,
        }
    }

    /// Returns the bare connection after an upgrade, and the bytes already read from it. Its slot is released, and it
    /// has no time limit any more.
    ///
    /// # Errors
    /// When the upgraded connection is not a `ClientStream`.
    pub fn into_upgraded(upgraded: Upgraded) -> io::Result<(TcpStream, Bytes)> {
        let parts = downcast::<TokioIo<Self>>(upgraded)
            .map_err(|_| io::Error::other("an upgraded connection of an unknown kind"))?;
        Ok((parts.io.into_inner().stream, parts.read_buf))
    }

    /// Applies the time limit to the result of a write. At the limit the connection is reset: closed normally, the
    /// kernel would keep the unread bytes and try to send them for another minute.
    fn limit_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => self.write_limit.record_written(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                ready!(self.write_limit.poll_expired(cx));
                self.stream.set_zero_linger()?;
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        written
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.limit_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.limit_write(cx, written)
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

/// The remaining time that writes may wait for the client. Only waiting counts, not the time that the node takes.
struct WriteTimeLimit {
    left: Duration,
    /// When the current wait began, if there is one.
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Default for WriteTimeLimit {
    fn default() -> Self {
        Self {
            left: MAX_WRITE_WAIT,
            since: None,
            timer: None,
        }
    }
}

impl WriteTimeLimit {
    /// Ready when the time is used up. Otherwise the task is woken when it is.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let end = since + self.left;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(cx)
    }

    /// Records that this many bytes were written.
    fn record_written(&mut self, bytes: usize) {
        let waited = self.since.take().map(|since| since.elapsed());
        let earned = Duration::from_secs(bytes as u64) / BYTES_PER_SECOND;
        self.left = self.left.saturating_sub(waited.unwrap_or_default());
        self.left = (self.left + earned).min(MAX_WRITE_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures::FutureExt;

    use super::*;

    /// Whether the time is used up when the client has read nothing for this many seconds.
    fn is_expired(write_limit: &mut WriteTimeLimit, seconds: u64) -> bool {
        write_limit.since = Instant::now().checked_sub(Duration::from_secs(seconds));
        let end = poll_fn(|cx| write_limit.poll_expired(cx));
        end.now_or_never().is_some()
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_times_out() {
        let mut write_limit = WriteTimeLimit::default();
        assert!(!is_expired(&mut write_limit, 29));
        assert!(is_expired(&mut write_limit, 31));
    }

    #[tokio::test]
    async fn a_client_that_reads_very_slowly_times_out() {
        let mut write_limit = WriteTimeLimit::default();
        for _ in 0..5 {
            assert!(!is_expired(&mut write_limit, 5));
            write_limit.record_written(10);
        }
        assert!(is_expired(&mut write_limit, 6));
    }

    #[tokio::test]
    async fn written_bytes_give_time_back_up_to_the_limit() {
        let mut write_limit = WriteTimeLimit::default();
        for _ in 0..100 {
            assert!(!is_expired(&mut write_limit, 10));
            write_limit.record_written(10 * 4 * 1024);
        }
        write_limit.record_written(1024 * 1024 * 1024);
        assert!(is_expired(&mut write_limit, 31));
    }
}
