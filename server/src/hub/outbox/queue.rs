//! What waits for one socket, and how the socket ends, without the socket: what the kernel took is told to it.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::broker::DeliveryClass;
use crate::hub::batch::{Batch, Encoded};
use crate::hub::waiting::{Held, WaitingBytes};

/// How much may wait for a socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Frames of messages, of answers and of pings. One more means that the client reads too slowly.
    pub(super) messages: usize,
    /// Frames of touches. One more drops the oldest.
    pub(super) touches: usize,
    /// Bytes of both. Touches are dropped for a message, oldest first; if that is not enough, the client reads too slowly.
    pub(super) bytes: usize,
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
    /// End, without another byte: a frame was begun, and the node has no room for its rest.
    Reset,
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

/// What becomes of a socket. It only ever goes on to a later state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum State {
    #[default]
    Open,
    /// Messages were lost to it, or it took nothing for too long: it has to be closed.
    Overflowed,
    /// The close frame is the last one.
    Closing,
    /// Nothing more is written, though a frame was begun: the connection has to be reset.
    Cut,
    /// Nothing can be written any more.
    Broken,
}

/// A socket's state, and what the kernel did not take. Most sockets never have any: they keep no room for it.
#[derive(Default)]
pub(super) struct Outgoing {
    state: State,
    waiting: Option<Box<Waiting>>,
}

/// It holds something as long as it is there.
struct Waiting {
    /// A frame that is written in part, and how far: its rest goes before everything else.
    begun: Option<(Waits, usize)>,
    messages: VecDeque<Waits>,
    touches: VecDeque<Waits>,
    /// Of the whole frames, also of the one that is written in part.
    bytes: usize,
    /// How many of the frames answer what the client asked.
    answers: usize,
    /// Since when the kernel has taken nothing.
    stuck: Instant,
}

struct Waits {
    frame: Held,
    is_answer: bool,
}

/// What is pushed, and what became of it so far.
pub(super) struct Pushed<'a> {
    pub(super) batch: &'a Batch,
    /// How many bytes of it the kernel took at once; 0 if something waits.
    pub(super) written: usize,
    /// It answers what the client asked.
    pub(super) is_answer: bool,
}

impl Outgoing {
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Whether a frame may be written without overtaking another.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_none()
    }

    /// What the socket's own task has to do now.
    pub(super) fn need(&self) -> Need {
        match self.state {
            State::Broken => Need::Broken,
            State::Cut => Need::Reset,
            State::Overflowed => Need::Overflowed,
            State::Open | State::Closing if self.waiting.is_none() => Need::Nothing,
            State::Open | State::Closing => Need::Write,
        }
    }

    /// How many messages, touches and bytes wait. A frame that is written in part counts as a message, with all its bytes.
    pub(super) fn waiting(&self) -> (usize, usize, usize) {
        let waiting = self.waiting.as_ref();
        waiting.map_or((0, 0, 0), |it| {
            let messages = it.messages.len() + usize::from(it.begun.is_some());
            (messages, it.touches.len(), it.bytes)
        })
    }

    /// Whether an answer to the client waits.
    pub(super) fn has_answers(&self) -> bool {
        self.waiting.as_ref().is_some_and(|it| it.answers > 0)
    }

    /// For how long the kernel has taken nothing though something waits; zero if nothing does.
    pub(super) fn stalled(&self) -> Duration {
        let waiting = self.waiting.as_ref();
        waiting.map_or(Duration::ZERO, |waiting| waiting.stuck.elapsed())
    }

    /// Keeps what the kernel did not take of a batch; how many touches are dropped. `written` has to be 0 when something
    /// waits.
    pub(super) fn push(
        &mut self,
        pushed: &Pushed<'_>,
        bounds: &Bounds,
        node: &Arc<WaitingBytes>,
    ) -> usize {
        let (mut end, mut dropped) = (0, 0);
        for frame in pushed.batch.frames() {
            let start = end;
            end += frame.bytes.len();
            if end <= pushed.written {
                continue;
            }
            if self.state != State::Open {
                break;
            }
            let is_answer = pushed.is_answer;
            if start < pushed.written {
                // The rest of a frame has to go, whatever the socket's own bounds say.
                match node.hold(frame) {
                    Some(frame) => {
                        let waits = Waits { frame, is_answer };
                        self.room().begin(waits, pushed.written - start);
                    }
                    None => self.advance(State::Cut),
                }
            } else {
                dropped += self.queue(frame, is_answer, bounds, node);
            }
        }
        dropped
    }

    /// How many touches are dropped.
    fn queue(
        &mut self,
        frame: &Encoded,
        is_answer: bool,
        bounds: &Bounds,
        node: &Arc<WaitingBytes>,
    ) -> usize {
        let waiting = self.room();
        let mut dropped = 0;
        let is_touch = frame.class == DeliveryClass::Touch;
        let room = bounds.bytes.saturating_sub(frame.bytes.len());
        while waiting.bytes > room || is_touch && waiting.touches.len() >= bounds.touches {
            let Some(oldest) = waiting.touches.pop_front() else {
                break;
            };
            waiting.forget(&oldest);
            dropped += 1;
        }
        let has_room =
            waiting.bytes <= room && (is_touch || waiting.messages.len() < bounds.messages);
        let held = has_room.then(|| node.hold(frame)).flatten();
        match held {
            Some(frame) => waiting.queue(Waits { frame, is_answer }, is_touch),
            None if is_touch => dropped += 1,
            None => self.advance(State::Overflowed),
        }
        self.tidy();
        dropped
    }

    /// What can be handed to the kernel: messages first, in their order, then touches. How many pieces there are.
    pub(super) fn pieces<'a>(&'a self, pieces: &mut [IoSlice<'a>]) -> usize {
        let Some(waiting) = self.waiting.as_ref() else {
            return 0;
        };
        let begun = waiting
            .begun
            .iter()
            .map(|(waits, from)| &waits.frame.bytes()[*from..]);
        let whole = waiting.messages.iter().chain(&waiting.touches);
        let all = begun.chain(whole.map(|waits| &waits.frame.bytes()[..]));
        let mut count = 0;
        for (piece, bytes) in pieces.iter_mut().zip(all) {
            *piece = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    /// The kernel took so many bytes of the pieces.
    pub(super) fn took(&mut self, bytes: usize) {
        if let Some(waiting) = self.waiting.as_mut().filter(|_| bytes > 0) {
            waiting.stuck = Instant::now();
            waiting.took(bytes);
        }
        self.tidy();
    }

    /// Has the socket's own task end it, unless it ends already.
    pub(super) fn give_up(&mut self, end: End) {
        if self.state == State::Open {
            self.advance(match end {
                End::Overflowed => State::Overflowed,
                End::Broken => State::Broken,
            });
        }
    }

    /// Frees what waits at once, also the rest of what is written in part, for lack of room on the node. With such a rest
    /// the connection can only be reset.
    pub(super) fn shed(&mut self) {
        let is_cut = self.waiting.as_ref().is_some_and(|it| it.begun.is_some());
        self.advance(if is_cut {
            State::Cut
        } else {
            State::Overflowed
        });
    }

    /// The connection is broken.
    pub(super) fn broken(&mut self) {
        self.advance(State::Broken);
    }

    /// Lets this frame be the last one. What else waits is dropped, apart from the rest of what is written in part.
    pub(super) fn close(&mut self, frame: Bytes, node: &Arc<WaitingBytes>) {
        if self.state < State::Closing {
            self.advance(State::Closing);
            let frame = node.hold_in_any_case(&Encoded::new(DeliveryClass::Message, frame));
            let is_answer = false;
            self.room().queue(Waits { frame, is_answer }, false);
        }
    }

    /// Goes on to a later state; never back. What waits is gone then, since a gap follows it anyway.
    fn advance(&mut self, state: State) {
        if state <= self.state {
            return;
        }
        self.state = state;
        let begun = self.waiting.take().and_then(|waiting| waiting.begun);
        if let Some((waits, from)) = begun.filter(|_| state < State::Cut) {
            self.room().begin(waits, from);
        }
    }

    /// What waits, of which there is something in a moment.
    fn room(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_with(|| {
            Box::new(Waiting {
                begun: None,
                messages: VecDeque::new(),
                touches: VecDeque::new(),
                bytes: 0,
                answers: 0,
                stuck: Instant::now(),
            })
        })
    }

    fn tidy(&mut self) {
        self.waiting.take_if(|waiting| waiting.is_empty());
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.begun.is_none() && self.messages.is_empty() && self.touches.is_empty()
    }

    fn begin(&mut self, waits: Waits, from: usize) {
        self.count(&waits);
        self.begun = Some((waits, from));
    }

    fn queue(&mut self, waits: Waits, is_touch: bool) {
        self.count(&waits);
        if is_touch {
            self.touches.push_back(waits);
        } else {
            self.messages.push_back(waits);
        }
    }

    fn count(&mut self, waits: &Waits) {
        self.bytes += waits.frame.bytes().len();
        self.answers += usize::from(waits.is_answer);
    }

    fn forget(&mut self, waits: &Waits) {
        self.bytes -= waits.frame.bytes().len();
        self.answers -= usize::from(waits.is_answer);
    }

    fn next(&mut self) -> Option<(Waits, usize)> {
        self.begun.take().or_else(|| {
            let next = self.messages.pop_front();
            let next = next.or_else(|| self.touches.pop_front());
            next.map(|waits| (waits, 0))
        })
    }

    fn took(&mut self, mut bytes: usize) {
        while bytes > 0
            && let Some((waits, from)) = self.next()
        {
            let rest = waits.frame.bytes().len() - from;
            if bytes < rest {
                self.begun = Some((waits, from + bytes));
                return;
            }
            bytes -= rest;
            self.forget(&waits);
        }
    }
}

#[cfg(test)]
mod tests;
