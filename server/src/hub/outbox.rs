//! What is written to one socket: at once if the kernel takes it, else it waits. Bounded: touches are dropped oldest
//! first, messages never silently.

mod queue;

use std::io::IoSlice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::coop::consume_budget;

pub use self::queue::{End, Need};

use self::queue::{Bounds, Outgoing, Pushed, State};
use super::batch::Batch;
use super::waiting::WaitingBytes;
use crate::websocket::Connection;

/// What may wait for a socket. A message that finds no room means that the client reads too slowly: its socket is closed
/// with 1013, and it resyncs from the store.
const BOUNDS: Bounds = Bounds {
    messages: 256,
    touches: 64,
    bytes: 1024 * 1024,
};
/// How many waiting frames are handed to the kernel at once.
const PIECES: usize = 64;
/// How often at most in one go: other tasks have their turn in between.
const ROUNDS: usize = 16;

/// The outgoing side of one socket. Any task may push; the socket's own task writes what had to wait.
///
/// Writing never waits, so it may happen under the lock, which keeps the frames whole and in order.
#[derive(Default)]
pub struct Outbox {
    /// Without one, as in tests, everything waits.
    connection: Option<Connection>,
    outgoing: Mutex<Outgoing>,
    node: Arc<WaitingBytes>,
    changed: Notify,
    answered: Notify,
}

impl Outbox {
    /// For a connection; what waits counts for the node.
    pub fn new(connection: Connection, node: Arc<WaitingBytes>) -> Self {
        Self {
            connection: Some(connection),
            node,
            ..Self::default()
        }
    }

    /// The connection.
    pub fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Writes these frames, or has them wait; how many touches were dropped for them. Never waits itself.
    pub fn push(&self, batch: &Batch) -> usize {
        self.write_or_keep(batch, false)
    }

    /// The same for an answer to the client: see [`Outbox::answered`].
    pub fn answer(&self, batch: &Batch) {
        self.write_or_keep(batch, true);
    }

    fn write_or_keep(&self, batch: &Batch, is_answer: bool) -> usize {
        let mut outgoing = self.lock();
        if outgoing.state() != State::Open {
            return 0;
        }
        let mut dropped = 0;
        let written = match &self.connection {
            Some(connection) if outgoing.is_empty() => connection.write(batch.bytes()),
            _ => Ok(0),
        };
        match written {
            Ok(written) if written == batch.bytes().len() => return 0,
            Ok(written) => {
                let pushed = Pushed {
                    batch,
                    written,
                    is_answer,
                };
                dropped = outgoing.push(&pushed, &BOUNDS, &self.node);
            }
            Err(_) => outgoing.broken(),
        }
        drop(outgoing);
        self.changed.notify_one();
        dropped
    }

    /// Writes what waits, as much as the kernel takes, but not for long.
    pub fn write(&self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let mut outgoing = self.lock();
        for _ in 0..ROUNDS {
            let mut pieces = [IoSlice::new(&[]); PIECES];
            let count = outgoing.pieces(&mut pieces);
            if count == 0 {
                break;
            }
            match connection.write_pieces(&pieces[..count]) {
                Ok(0) => break,
                Ok(written) => outgoing.took(written),
                Err(_) => outgoing.broken(),
            }
        }
        if !outgoing.has_answers() {
            self.answered.notify_one();
        }
    }

    /// What the socket's own task has to do now.
    pub fn need(&self) -> Need {
        self.lock().need()
    }

    /// Waits until there may be something else to do.
    pub async fn changed(&self) {
        consume_budget().await;
        self.changed.notified().await;
    }

    /// Waits until no answer to the client waits any more. Whoever takes the next command only then has at most one
    /// answer wait for a client that asks but does not read.
    pub async fn answered(&self) {
        while self.lock().has_answers() {
            consume_budget().await;
            self.answered.notified().await;
        }
    }

    /// For how long the kernel has taken nothing though something waits; zero if nothing does.
    pub fn stalled(&self) -> Duration {
        self.lock().stalled()
    }

    /// How many messages, touches and bytes wait.
    pub fn waiting(&self) -> (usize, usize, usize) {
        self.lock().waiting()
    }

    /// Has the socket's own task end it. One that ends already is left alone.
    pub fn give_up(&self, end: End) {
        self.lock().give_up(end);
        self.changed.notify_one();
    }

    /// Frees what waits at once, and has the socket's own task end it.
    pub fn shed(&self) {
        self.lock().shed();
        self.changed.notify_one();
        self.answered.notify_one();
    }

    /// Lets this frame be the last one. What else waits is dropped, apart from the rest of what is written in part.
    pub fn close(&self, frame: Bytes) {
        self.lock().close(frame, &self.node);
    }

    /// Without a connection.
    #[cfg(test)]
    pub(super) fn unconnected(node: Arc<WaitingBytes>) -> Self {
        Self {
            node,
            ..Self::default()
        }
    }

    /// What waits, for tests without a connection.
    #[cfg(test)]
    pub(super) fn take(&self) -> Vec<Bytes> {
        let mut outgoing = self.lock();
        let mut pieces = [IoSlice::new(&[]); 1_000];
        let count = outgoing.pieces(&mut pieces);
        let frames: Vec<_> = pieces[..count]
            .iter()
            .map(|piece| Bytes::copy_from_slice(piece))
            .collect();
        outgoing.took(frames.iter().map(Bytes::len).sum());
        frames
    }

    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
