//! Writes frames to one socket. What the kernel does not accept at once is queued. The queue is bounded: touches are
//! dropped oldest first; a message that does not fit closes the socket.

mod queue;

use std::io::IoSlice;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::coop::consume_budget;

pub use self::queue::{Action, Failure, Queued};

use self::queue::{Limits, Push, State, WriteQueue};
use super::batch::Batch;
use super::queued_bytes::QueuedBytes;
use crate::sync::{Mutex, MutexGuard};
use crate::websocket::Connection;
#[cfg(test)]
use crate::websocket::Peer;

/// How much may be queued for a socket. If a message does not fit, the client reads too slowly: its socket is closed
/// with 1013, and it resyncs from the store.
const LIMITS: Limits = Limits {
    messages: 256,
    touches: 64,
    bytes: 1024 * 1024,
};
/// The number of queued frames that are handed to the kernel in one call.
const MAX_SLICES: usize = 64;
/// The number of calls before other tasks get their turn.
const MAX_WRITES: usize = 16;

/// The outgoing side of one socket. Any task may push frames; the socket's own task writes what was queued.
///
/// Writing never blocks, so it happens under the lock, which keeps the frames whole and in order.
pub struct Outbox {
    connection: Connection,
    queue: Mutex<WriteQueue>,
    queued_bytes: Arc<QueuedBytes>,
    changed: Notify,
    answers_written: Notify,
}

impl Outbox {
    /// Creates the outbox of a connection. Its queued bytes are counted in `queued_bytes`.
    pub fn new(connection: Connection, queued_bytes: Arc<QueuedBytes>) -> Self {
        Self {
            connection,
            queue: Mutex::default(),
            queued_bytes,
            changed: Notify::new(),
            answers_written: Notify::new(),
        }
    }

    /// Creates the outbox of a connection within the process, on which at most `capacity` bytes wait for the peer. It
    /// is broken once the peer is dropped.
    #[cfg(test)]
    pub(super) fn in_memory(capacity: usize, queued_bytes: Arc<QueuedBytes>) -> (Arc<Self>, Peer) {
        let (connection, peer) = Connection::in_memory(capacity, Arc::default());
        (Arc::new(Self::new(connection, queued_bytes)), peer)
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Writes or queues frames, without blocking. Returns the number of touches that were dropped.
    pub fn push(&self, batch: &Batch) -> usize {
        self.write_or_queue(batch, false)
    }

    /// Writes or queues the answer to a command of the client; see [`Outbox::answers_written`].
    pub fn answer(&self, batch: &Batch) {
        self.write_or_queue(batch, true);
    }

    fn write_or_queue(&self, batch: &Batch, is_answer: bool) -> usize {
        let mut queue = self.lock();
        if queue.state() != State::Open {
            return 0;
        }
        let mut dropped = 0;
        let written = if queue.is_empty() {
            self.connection.write(batch.bytes())
        } else {
            Ok(0)
        };
        match written {
            Ok(written) if written == batch.bytes().len() => return 0,
            Ok(written) => {
                let push = Push {
                    batch,
                    written,
                    is_answer,
                };
                dropped = queue.push(&push, &LIMITS, &self.queued_bytes);
            }
            Err(_) => queue.set_broken(),
        }
        drop(queue);
        self.changed.notify_one();
        dropped
    }

    /// Writes queued frames until the kernel accepts no more, or until other tasks should get their turn.
    pub fn write(&self) {
        let mut queue = self.lock();
        for _ in 0..MAX_WRITES {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = queue.chunks_vectored(&mut slices);
            if count == 0 {
                break;
            }
            match self.connection.write_vectored(&slices[..count]) {
                Ok(0) => break,
                Ok(written) => queue.consume(written),
                Err(_) => queue.set_broken(),
            }
        }
        if !queue.has_answers() {
            self.answers_written.notify_one();
        }
    }

    /// Returns what the socket's own task has to do next.
    pub fn next_action(&self) -> Action {
        self.lock().next_action()
    }

    /// Waits until the next action may have changed.
    pub async fn changed(&self) {
        consume_budget().await;
        self.changed.notified().await;
    }

    /// Waits until no answer is queued. If the next command is read only then, at most one answer is queued for a
    /// client that sends commands without reading.
    pub async fn answers_written(&self) {
        while self.lock().has_answers() {
            consume_budget().await;
            self.answers_written.notified().await;
        }
    }

    /// For how long the kernel has accepted nothing although something is queued; zero if nothing is.
    pub fn stalled_for(&self) -> Duration {
        self.lock().stalled_for()
    }

    /// What is queued.
    pub fn queued(&self) -> Queued {
        self.lock().queued()
    }

    /// Makes the socket's own task close it; does nothing if that is closing it already.
    pub fn fail(&self, failure: Failure) {
        self.lock().fail(failure);
        self.changed.notify_one();
    }

    /// Drops what is queued, and makes the socket's own task close it.
    pub fn shed(&self) {
        self.lock().shed();
        self.changed.notify_one();
        self.answers_written.notify_one();
    }

    /// Queues a close frame as the last frame. Other queued frames are dropped, except for the rest of a partly written
    /// one.
    pub fn close(&self, frame: Bytes) {
        self.lock().close(frame, &self.queued_bytes);
    }

    fn lock(&self) -> MutexGuard<'_, WriteQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
