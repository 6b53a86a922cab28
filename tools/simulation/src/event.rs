//! What the world's queue holds.

use app::live::effect::Timer;
use app::model::UploadId;
use bytes::Bytes;
use server::broker::Frame;

use crate::Millis;
use crate::api::{Answer, Call};
use crate::faults::Fault;
use crate::node::ProcessId;
use crate::plan::{Act, Planned};
use crate::redis::ConnectionId;
use crate::world::World;

/// What happens at a time.
pub enum Event {
    /// A frame of the broker arrives at a process.
    Deliver {
        to: ProcessId,
        topic: UploadId,
        frame: Frame,
    },
    /// What Redis has pushed arrives at a node's end of a connection.
    Push(ConnectionId, Bytes),
    /// A socket's opening arrives at its node.
    Accept(u64),
    /// The client learns that its socket is open.
    Opened(u64),
    /// What a client has sent arrives at its node.
    ToNode(u64, Vec<u8>),
    /// A client reads from its socket.
    Read(u64),
    /// A call arrives at a node.
    Call {
        client: usize,
        number: u64,
        node: usize,
        call: Call,
    },
    Answer(Answer),
    /// A client waits no longer for the answer to its call.
    GiveUp {
        client: usize,
        number: u64,
    },
    /// A client's timer expires, unless it was started anew since.
    Timer {
        client: usize,
        timer: Timer,
        generation: u64,
    },
    /// A user does something.
    Act(Act),
    /// The properties are checked.
    Check,
    BeginFault(Planned<Fault>),
    EndFault(Fault),
}

impl World {
    /// The time of the next event. Drops those before it that mean nothing any more: most timers are stopped, and most
    /// calls are answered.
    pub fn next_event(&mut self) -> Option<Millis> {
        loop {
            let next = self.queue.first_entry()?;
            let client = |client| self.clients.get(client);
            let is_over = match next.get() {
                Event::Timer {
                    client: number,
                    timer,
                    generation,
                } => client(number).is_none_or(|it| it.timers[*timer as usize] != *generation),
                Event::GiveUp {
                    client: number,
                    number: call,
                } => client(number).is_none_or(|it| !it.calls.contains_key(call)),
                _ => false,
            };
            if !is_over {
                return Some(next.key().0);
            }
            next.remove();
        }
    }
}
