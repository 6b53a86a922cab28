//! What is written to one socket: at once if the kernel takes it, else it waits. Bounded: touches are dropped oldest
//! first, messages never silently.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use tokio::sync::Notify;

use super::batch::Batch;
use crate::broker::DeliveryClass;
use crate::websocket::Connection;

/// Message frames that may wait. One more means that the client reads too slowly: its socket is closed with 1013,
/// and it resyncs from the store.
pub const MAX_WAITING_MESSAGES: usize = 256;
/// Touch frames that may wait. One more drops the oldest.
pub const MAX_WAITING_TOUCHES: usize = 64;
/// How many waiting frames are handed to the kernel at once.
const PIECES: usize = 64;

/// The outgoing side of one socket. Any task may push; the socket's own task writes what had to wait.
///
/// Writing never waits, so it may happen under the lock, which keeps the frames whole and in order.
#[derive(Default)]
pub struct Outbox {
    /// Without one, as in tests, everything waits.
    connection: Option<Connection>,
    outgoing: Mutex<Outgoing>,
    changed: Notify,
}

/// What the socket's own task has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// Write what waits, once the kernel takes more.
    Write,
    /// End: message frames were lost to this socket, since it reads too slowly.
    Overflowed,
    /// End: the connection is broken.
    Broken,
}

/// Why a socket is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It reads too slowly.
    Overflowed,
    /// It is dead.
    Broken,
}

#[derive(Default)]
struct Outgoing {
    state: State,
    /// What the kernel did not take. Most sockets never have any: they keep no room for it.
    waiting: Option<Box<Waiting>>,
}

/// It holds something as long as it is there.
struct Waiting {
    /// The rest of frames that are written in part: it goes before everything else.
    begun: Bytes,
    messages: VecDeque<Bytes>,
    touches: VecDeque<Bytes>,
    /// Since when the kernel has taken nothing.
    stuck: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Open,
    Overflowed,
    /// The close frame is the last one.
    Closing,
    Broken,
}

impl Outbox {
    /// For a connection.
    pub fn new(connection: Connection) -> Self {
        Self {
            connection: Some(connection),
            ..Self::default()
        }
    }

    /// The connection.
    pub fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Writes these frames, or has them wait; how many touches were dropped for them. Never waits itself.
    pub fn push(&self, batch: &Batch) -> usize {
        let mut outgoing = self.lock();
        if outgoing.state != State::Open {
            return 0;
        }
        let mut dropped = 0;
        let written = match &self.connection {
            Some(connection) if outgoing.waiting.is_none() => connection.write(batch.bytes()),
            _ => Ok(0),
        };
        match written {
            Ok(written) if written == batch.bytes().len() => return 0,
            Ok(written) => dropped = outgoing.keep(batch, written),
            Err(_) => outgoing.end(State::Broken),
        }
        drop(outgoing);
        self.changed.notify_one();
        dropped
    }

    /// Writes what waits, as much as the kernel takes.
    pub fn write(&self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let mut outgoing = self.lock();
        loop {
            match outgoing.write_some(connection) {
                Ok(0) => break,
                Ok(_) => {}
                Err(_) => outgoing.end(State::Broken),
            }
        }
    }

    /// What the socket's own task has to do now.
    pub fn need(&self) -> Need {
        let outgoing = self.lock();
        match outgoing.state {
            State::Broken => Need::Broken,
            State::Overflowed => Need::Overflowed,
            State::Open | State::Closing if outgoing.waiting.is_none() => Need::Nothing,
            State::Open | State::Closing => Need::Write,
        }
    }

    /// Waits until there may be something else to do.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether the kernel has taken nothing for so long though something waits.
    pub fn is_stuck(&self, patience: Duration) -> bool {
        let outgoing = self.lock();
        let waiting = outgoing.waiting.as_ref();
        waiting.is_some_and(|waiting| waiting.stuck.elapsed() >= patience)
    }

    /// How many messages and how many touches wait.
    pub fn waiting(&self) -> (usize, usize) {
        let outgoing = self.lock();
        let waiting = outgoing.waiting.as_ref();
        waiting.map_or((0, 0), |it| (it.messages.len(), it.touches.len()))
    }

    /// Has the socket's own task end it.
    pub fn give_up(&self, end: End) {
        self.lock().end(match end {
            End::Overflowed => State::Overflowed,
            End::Broken => State::Broken,
        });
        self.changed.notify_one();
    }

    /// Lets this frame be the last one. What else waits is dropped, apart from the rest of what is written in part.
    pub fn close(&self, frame: Bytes) {
        let mut outgoing = self.lock();
        if outgoing.state != State::Broken {
            outgoing.end(State::Closing);
            outgoing.waiting().messages.push_back(frame);
        }
    }

    /// What waits, for tests without a connection.
    #[cfg(test)]
    pub(super) fn take(&self) -> Vec<Bytes> {
        let waiting = self.lock().waiting.take();
        waiting.map_or_else(Vec::new, |waiting| {
            let Waiting {
                messages, touches, ..
            } = *waiting;
            messages.into_iter().chain(touches).collect()
        })
    }

    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outgoing {
    /// What waits, of which there is something in a moment.
    fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_with(|| {
            Box::new(Waiting {
                begun: Bytes::new(),
                messages: VecDeque::new(),
                touches: VecDeque::new(),
                stuck: Instant::now(),
            })
        })
    }

    /// Keeps what comes after the first `written` bytes of a batch; how many touches are dropped.
    fn keep(&mut self, batch: &Batch, written: usize) -> usize {
        let (mut end, mut dropped) = (0, 0);
        for (class, frame) in batch.frames() {
            let start = end;
            end += frame.len();
            if end <= written {
                continue;
            }
            if start < written {
                self.waiting().begun = frame.slice(written - start..);
            } else {
                dropped += usize::from(self.queue(*class, frame.clone()));
            }
        }
        dropped
    }

    /// Whether a touch is dropped.
    fn queue(&mut self, class: DeliveryClass, frame: Bytes) -> bool {
        if self.state != State::Open {
            return false;
        }
        let waiting = self.waiting();
        match class {
            DeliveryClass::Message => {
                if waiting.messages.len() < MAX_WAITING_MESSAGES {
                    waiting.messages.push_back(frame);
                } else {
                    self.end(State::Overflowed);
                }
                false
            }
            DeliveryClass::Touch => {
                let is_full = waiting.touches.len() >= MAX_WAITING_TOUCHES;
                if is_full {
                    waiting.touches.pop_front();
                }
                waiting.touches.push_back(frame);
                is_full
            }
        }
    }

    /// What waits is gone, since a gap follows it anyway.
    fn end(&mut self, state: State) {
        self.state = state;
        if let Some(waiting) = &mut self.waiting {
            waiting.messages = VecDeque::new();
            waiting.touches = VecDeque::new();
        }
        self.tidy();
    }

    /// How many bytes the kernel took.
    fn write_some(&mut self, connection: &Connection) -> io::Result<usize> {
        let Some(waiting) = self
            .waiting
            .as_mut()
            .filter(|_| self.state != State::Broken)
        else {
            return Ok(0);
        };
        let written = waiting.write_some(connection)?;
        if written > 0 {
            waiting.stuck = Instant::now();
            self.tidy();
        }
        Ok(written)
    }

    fn tidy(&mut self) {
        self.waiting.take_if(|waiting| waiting.is_empty());
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.messages.is_empty() && self.touches.is_empty()
    }

    /// Messages first, in their order, then touches.
    fn write_some(&mut self, connection: &Connection) -> io::Result<usize> {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let frames = [&self.begun]
            .into_iter()
            .chain(&self.messages)
            .chain(&self.touches);
        let mut count = 0;
        for (piece, frame) in pieces.iter_mut().zip(frames) {
            *piece = IoSlice::new(frame);
            count += 1;
        }
        let written = connection.write_pieces(&pieces[..count])?;
        self.written(written);
        Ok(written)
    }

    fn written(&mut self, mut written: usize) {
        while written > 0 {
            if self.begun.is_empty() {
                let next = self
                    .messages
                    .pop_front()
                    .or_else(|| self.touches.pop_front());
                self.begun = next.unwrap_or_default();
            }
            let taken = written.min(self.begun.len());
            self.begun.advance(taken);
            written -= taken;
        }
    }
}

#[cfg(test)]
mod tests;
