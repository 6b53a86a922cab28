//! The queue of one socket and its states, without any input or output: the caller says what the kernel accepted.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::broker::DeliveryClass;
use crate::hub::batch::{Batch, EncodedFrame};
use crate::hub::queued_bytes::{QueuedBytes, Reservation};

/// How much may be queued for a socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Frames of messages, answers and pings. One more means that the client reads too slowly.
    pub(super) messages: usize,
    /// Frames of touches and presence. One more replaces the oldest.
    pub(super) touches: usize,
    /// Bytes of both. Touches are dropped to make room for a message, oldest first; if that is not enough, the client
    /// reads too slowly.
    pub(super) bytes: usize,
}

/// What is queued: a partly written frame counts in full, as a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queued {
    /// The number of frames of messages, answers and pings.
    pub messages: usize,
    /// The number of frames of touches and presence.
    pub touches: usize,
    /// The bytes of both.
    pub bytes: usize,
}

/// The next action of the socket's own task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Wait for a change.
    Wait,
    /// Write what is queued, once the kernel accepts more.
    Write,
    /// Close the socket as too slow.
    CloseTooSlow,
    /// Reset the connection: a frame is partly written, and the node has no room for its rest.
    Reset,
    /// End the socket: the connection is broken.
    Disconnect,
}

/// Why a socket is closed by the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It reads too slowly.
    TooSlow,
    /// It answers no pings.
    Dead,
}

/// The state of a socket, which only ever changes to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum State {
    #[default]
    Open,
    /// Messages were dropped, or nothing was accepted for too long: it has to be closed.
    TooSlow,
    /// A close frame is queued as the last frame.
    Closing,
    /// Nothing more is written, although a frame is partly written: the connection has to be reset.
    Reset,
    /// The connection is broken.
    Broken,
}

/// A socket's state and queue. Most sockets never queue anything, so the queue is allocated when needed.
#[derive(Default)]
pub(super) struct WriteQueue {
    state: State,
    queue: Option<Box<Queue>>,
}

/// The queued frames; never empty.
struct Queue {
    /// A partly written frame and the number of written bytes. Its rest goes first.
    partial: Option<(QueuedFrame, usize)>,
    messages: VecDeque<QueuedFrame>,
    touches: VecDeque<QueuedFrame>,
    /// The bytes of all frames; a partly written one counts in full.
    bytes: usize,
    /// The number of frames that are answers.
    answers: usize,
    /// When the kernel last accepted something.
    last_progress: Instant,
}

struct QueuedFrame {
    frame: Reservation,
    is_answer: bool,
}

/// A batch to queue, and how much of it has been written.
pub(super) struct Push<'a> {
    pub(super) batch: &'a Batch,
    /// How many of its bytes the kernel accepted; 0 if something is queued already.
    pub(super) written: usize,
    /// Whether it is an answer to a command.
    pub(super) is_answer: bool,
}

impl WriteQueue {
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Whether nothing is queued, so that a frame may be written directly.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_none()
    }

    /// Returns what the socket's own task has to do next.
    pub(super) fn next_action(&self) -> Action {
        match self.state {
            State::Broken => Action::Disconnect,
            State::Reset => Action::Reset,
            State::TooSlow => Action::CloseTooSlow,
            State::Open | State::Closing if self.queue.is_none() => Action::Wait,
            State::Open | State::Closing => Action::Write,
        }
    }

    /// What is queued.
    pub(super) fn queued(&self) -> Queued {
        let queue = self.queue.as_ref();
        queue.map_or_else(Queued::default, |it| Queued {
            messages: it.messages.len() + usize::from(it.partial.is_some()),
            touches: it.touches.len(),
            bytes: it.bytes,
        })
    }

    /// Whether an answer is queued.
    pub(super) fn has_answers(&self) -> bool {
        self.queue.as_ref().is_some_and(|it| it.answers > 0)
    }

    /// For how long the kernel has accepted nothing although something is queued; zero if nothing is.
    pub(super) fn stalled_for(&self) -> Duration {
        let queue = self.queue.as_ref();
        queue.map_or(Duration::ZERO, |queue| queue.last_progress.elapsed())
    }

    /// Queues what the kernel did not accept of a batch, and returns the number of dropped touches.
    pub(super) fn push(
        &mut self,
        push: &Push<'_>,
        limits: &Limits,
        queued_bytes: &Arc<QueuedBytes>,
    ) -> usize {
        let (mut end, mut dropped) = (0, 0);
        for frame in push.batch.frames() {
            let start = end;
            end += frame.bytes.len();
            if end <= push.written {
                continue;
            }
            if self.state != State::Open {
                break;
            }
            let is_answer = push.is_answer;
            if start < push.written {
                // The rest of a frame has to be written, whatever the socket's own limits.
                match queued_bytes.reserve(frame) {
                    Some(frame) => {
                        let frame = QueuedFrame { frame, is_answer };
                        self.queue_mut().set_partial(frame, push.written - start);
                    }
                    None => self.advance(State::Reset),
                }
            } else {
                dropped += self.enqueue(frame, is_answer, limits, queued_bytes);
            }
        }
        dropped
    }

    /// Queues a whole frame, and returns the number of dropped touches.
    fn enqueue(
        &mut self,
        frame: &EncodedFrame,
        is_answer: bool,
        limits: &Limits,
        queued_bytes: &Arc<QueuedBytes>,
    ) -> usize {
        let queue = self.queue_mut();
        let mut dropped = 0;
        let is_touch = frame.class.is_lossy();
        let room = limits.bytes.saturating_sub(frame.bytes.len());
        while queue.bytes > room || is_touch && queue.touches.len() >= limits.touches {
            let Some(oldest) = queue.touches.pop_front() else {
                break;
            };
            queue.subtract(&oldest);
            dropped += 1;
        }
        let has_room = queue.bytes <= room && (is_touch || queue.messages.len() < limits.messages);
        let reserved = has_room.then(|| queued_bytes.reserve(frame)).flatten();
        match reserved {
            Some(frame) => queue.push(QueuedFrame { frame, is_answer }, is_touch),
            None if is_touch => dropped += 1,
            None => self.advance(State::TooSlow),
        }
        self.free_if_empty();
        dropped
    }

    /// Fills `slices` with what is to be written, messages in their order before touches, and returns their number.
    pub(super) fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let Some(queue) = self.queue.as_ref() else {
            return 0;
        };
        let partial = queue
            .partial
            .iter()
            .map(|(queued, from)| &queued.frame.bytes()[*from..]);
        let whole = queue.messages.iter().chain(&queue.touches);
        let all = partial.chain(whole.map(|queued| &queued.frame.bytes()[..]));
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(all) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    /// Removes bytes that the kernel has accepted.
    pub(super) fn consume(&mut self, bytes: usize) {
        if let Some(queue) = self.queue.as_mut().filter(|_| bytes > 0) {
            queue.last_progress = Instant::now();
            queue.consume(bytes);
        }
        self.free_if_empty();
    }

    /// Makes the socket's own task close it, unless that is closing it already.
    pub(super) fn fail(&mut self, failure: Failure) {
        if self.state == State::Open {
            self.advance(match failure {
                Failure::TooSlow => State::TooSlow,
                Failure::Dead => State::Broken,
            });
        }
    }

    /// Drops everything that is queued because the node lacks room. If a frame is partly written, the connection can
    /// only be reset then.
    pub(super) fn shed(&mut self) {
        let is_partly_written = self.queue.as_ref().is_some_and(|it| it.partial.is_some());
        self.advance(if is_partly_written {
            State::Reset
        } else {
            State::TooSlow
        });
    }

    /// Records that the connection is broken.
    pub(super) fn set_broken(&mut self) {
        self.advance(State::Broken);
    }

    /// Queues a close frame as the last frame. Other queued frames are dropped, except for the rest of a partly written
    /// one.
    pub(super) fn close(&mut self, frame: Bytes, queued_bytes: &Arc<QueuedBytes>) {
        if self.state < State::Closing {
            self.advance(State::Closing);
            let frame =
                queued_bytes.reserve_unchecked(&EncodedFrame::new(DeliveryClass::Message, frame));
            let is_answer = false;
            self.queue_mut()
                .push(QueuedFrame { frame, is_answer }, false);
        }
    }

    /// Changes to a later state; an earlier one is ignored. Drops what is queued: the client reads it again when it
    /// comes back.
    fn advance(&mut self, state: State) {
        if state <= self.state {
            return;
        }
        self.state = state;
        let partial = self.queue.take().and_then(|queue| queue.partial);
        if let Some((frame, from)) = partial.filter(|_| state < State::Reset) {
            self.queue_mut().set_partial(frame, from);
        }
    }

    /// Returns the queue, allocated if necessary. The caller has to put a frame into it or free it.
    fn queue_mut(&mut self) -> &mut Queue {
        self.queue.get_or_insert_with(|| {
            Box::new(Queue {
                partial: None,
                messages: VecDeque::new(),
                touches: VecDeque::new(),
                bytes: 0,
                answers: 0,
                last_progress: Instant::now(),
            })
        })
    }

    fn free_if_empty(&mut self) {
        self.queue.take_if(|queue| queue.is_empty());
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.partial.is_none() && self.messages.is_empty() && self.touches.is_empty()
    }

    fn set_partial(&mut self, frame: QueuedFrame, from: usize) {
        self.add(&frame);
        self.partial = Some((frame, from));
    }

    fn push(&mut self, frame: QueuedFrame, is_touch: bool) {
        self.add(&frame);
        if is_touch {
            self.touches.push_back(frame);
        } else {
            self.messages.push_back(frame);
        }
    }

    fn add(&mut self, queued: &QueuedFrame) {
        self.bytes += queued.frame.bytes().len();
        self.answers += usize::from(queued.is_answer);
    }

    fn subtract(&mut self, queued: &QueuedFrame) {
        self.bytes -= queued.frame.bytes().len();
        self.answers -= usize::from(queued.is_answer);
    }

    fn pop(&mut self) -> Option<(QueuedFrame, usize)> {
        self.partial.take().or_else(|| {
            let next = self.messages.pop_front();
            let next = next.or_else(|| self.touches.pop_front());
            next.map(|frame| (frame, 0))
        })
    }

    fn consume(&mut self, mut bytes: usize) {
        while bytes > 0
            && let Some((queued, from)) = self.pop()
        {
            let rest = queued.frame.bytes().len() - from;
            if bytes < rest {
                self.partial = Some((queued, from + bytes));
                return;
            }
            bytes -= rest;
            self.subtract(&queued);
        }
    }
}

#[cfg(test)]
mod tests;
