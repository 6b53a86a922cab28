//! A connection within the process, for simulations: what the node writes waits in a bounded buffer until the peer takes
//! it, as in the kernel's.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The node's end.
pub(super) struct MemoryStream(Arc<Pipe>);

/// The client's end. When it is dropped, the connection is closed.
pub struct Peer(Arc<Pipe>);

struct Pipe {
    buffers: Mutex<Buffers>,
    /// Notified when the node can read, or write, again.
    readable: Notify,
    writable: Notify,
    /// Notified when the peer can read.
    written: Arc<Notify>,
}

#[derive(Default)]
struct Buffers {
    to_node: VecDeque<u8>,
    to_peer: VecDeque<u8>,
    capacity: usize,
    has_node_closed: bool,
    has_peer_closed: bool,
    is_reset: bool,
}

/// Creates a connection. At most `capacity` bytes wait for the peer; `written` is notified when there are new ones, or
/// the node has closed.
pub(super) fn connection(capacity: usize, written: Arc<Notify>) -> (MemoryStream, Peer) {
    let buffers = Buffers {
        capacity,
        ..Buffers::default()
    };
    let pipe = Arc::new(Pipe {
        buffers: Mutex::new(buffers),
        readable: Notify::new(),
        writable: Notify::new(),
        written,
    });
    (MemoryStream(Arc::clone(&pipe)), Peer(pipe))
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, Buffers> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffers {
    fn can_node_read(&self) -> bool {
        !self.to_node.is_empty() || self.has_peer_closed
    }

    fn can_node_write(&self) -> bool {
        self.to_peer.len() < self.capacity || self.has_peer_closed
    }
}

impl MemoryStream {
    pub(super) async fn readable(&self) {
        while !self.0.lock().can_node_read() {
            self.0.readable.notified().await;
        }
    }

    pub(super) async fn writable(&self) {
        while !self.0.lock().can_node_write() {
            self.0.writable.notified().await;
        }
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffers = self.0.lock();
        if !buffers.can_node_read() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = buffers.to_node.len().min(buffer.len());
        for (byte, read) in buffer.iter_mut().zip(buffers.to_node.drain(..count)) {
            *byte = read;
        }
        Ok(count)
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffers = self.0.lock();
        if buffers.has_peer_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(buffers.capacity - buffers.to_peer.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffers.to_peer.extend(&bytes[..count]);
        self.0.written.notify_one();
        Ok(count)
    }

    /// Writes as much of several slices as there is room for.
    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut written = 0;
        for slice in slices {
            match self.try_write(slice) {
                Ok(count) => written += count,
                Err(_) if written > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    pub(super) fn reset_on_drop(&self) {
        self.0.lock().is_reset = true;
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        let mut buffers = self.0.lock();
        buffers.has_node_closed = true;
        if buffers.is_reset {
            buffers.to_peer.clear();
        }
        self.0.written.notify_one();
    }
}

impl Peer {
    /// Takes at most `max` of the bytes that the node has written.
    pub fn read(&self, max: usize) -> Vec<u8> {
        let mut buffers = self.0.lock();
        let count = buffers.to_peer.len().min(max);
        let bytes = buffers.to_peer.drain(..count).collect();
        self.0.writable.notify_one();
        bytes
    }

    /// The number of bytes that wait for the peer.
    pub fn waiting(&self) -> usize {
        self.0.lock().to_peer.len()
    }

    /// Sends bytes to the node.
    pub fn write(&self, bytes: &[u8]) {
        self.0.lock().to_node.extend(bytes);
        self.0.readable.notify_one();
    }

    /// Whether the node has closed the connection. Bytes that it has written before may still wait.
    pub fn is_closed(&self) -> bool {
        self.0.lock().has_node_closed
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.0.lock().has_peer_closed = true;
        self.0.readable.notify_one();
        self.0.writable.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_the_peer_does_not_read_fills_the_buffer() {
        let (node, peer) = connection(4, Arc::default());
        let slices = [IoSlice::new(b"abc"), IoSlice::new(b"def")];
        assert_eq!(node.try_write_vectored(&slices).unwrap(), 4);
        let full = node.try_write(b"g").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        assert!(node.writable().now_or_never().is_none());
        assert_eq!(peer.read(3), b"abc");
        node.writable().await;
        assert_eq!(node.try_write(b"efgh").unwrap(), 3);
        drop(node);
        assert!(peer.is_closed());
        assert_eq!(peer.read(9), b"defg", "what was written before arrives");
    }

    #[tokio::test]
    async fn the_node_reads_what_was_sent_and_then_the_end() {
        let (node, peer) = connection(4, Arc::default());
        assert!(node.readable().now_or_never().is_none());
        peer.write(b"abc");
        let mut buffer = [0; 2];
        for expected in [2, 1] {
            node.readable().await;
            assert_eq!(node.try_read(&mut buffer).unwrap(), expected);
        }
        drop(peer);
        node.readable().await;
        assert_eq!(node.try_read(&mut buffer).unwrap(), 0);
        assert!(node.try_write(b"x").is_err());
    }
}
