//! The bytes that wait for the sockets of a node, in all: each frame counts once, however many sockets it waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::Notify;

use super::batch::Encoded;

/// How many bytes may wait on a node. A socket for which another message would have to wait is given up as too slow
/// then, and one of which a frame is written in part is cut off; a touch is dropped.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// What a frame's place in a queue takes, in bytes, beside the frame.
const PLACE: usize = size_of::<Held>();

/// How much waits on a node.
#[derive(Debug)]
pub struct WaitingBytes {
    bytes: AtomicUsize,
    max: usize,
    /// Told when there is soon no room left.
    short: Notify,
}

impl Default for WaitingBytes {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl WaitingBytes {
    /// With room for this many bytes.
    pub(super) fn new(max: usize) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            max,
            short: Notify::new(),
        }
    }

    /// How many bytes wait.
    pub(super) fn get(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many bytes there are above half of the room.
    pub(super) fn above_half(&self) -> usize {
        self.get().saturating_sub(self.max / 2)
    }

    /// Waits until three quarters of the room are taken.
    pub(super) async fn short(&self) {
        self.short.notified().await;
    }

    /// Takes room for a frame that waits for one more socket, or for none if there is none left.
    pub(super) fn hold(self: &Arc<Self>, frame: &Encoded) -> Option<Held> {
        let (held, bytes) = self.count(frame);
        (bytes <= self.max).then_some(held)
    }

    /// The same for a frame that is small and has to go, as a close frame.
    pub(super) fn hold_in_any_case(self: &Arc<Self>, frame: &Encoded) -> Held {
        self.count(frame).0
    }

    /// And how many bytes wait then.
    fn count(self: &Arc<Self>, frame: &Encoded) -> (Held, usize) {
        let is_first = frame.holders.fetch_add(1, Ordering::Relaxed) == 0;
        let more = PLACE + if is_first { frame.bytes.len() } else { 0 };
        let before = self.bytes.fetch_add(more, Ordering::Relaxed);
        let mark = self.max / 4 * 3;
        if before <= mark && before + more > mark {
            self.short.notify_one();
        }
        let held = Held {
            bytes: frame.bytes.clone(),
            holders: Arc::clone(&frame.holders),
            node: Arc::clone(self),
        };
        (held, before + more)
    }
}

/// A frame that waits for one socket. It counts as waiting until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Bytes,
    /// How many sockets it waits for.
    holders: Arc<AtomicUsize>,
    node: Arc<WaitingBytes>,
}

impl Held {
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let is_last = self.holders.fetch_sub(1, Ordering::Relaxed) == 1;
        let less = PLACE + if is_last { self.bytes.len() } else { 0 };
        self.node.bytes.fetch_sub(less, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::DeliveryClass;

    fn frame(length: usize) -> Encoded {
        Encoded::new(DeliveryClass::Message, vec![0; length].into())
    }

    #[test]
    fn a_frame_that_waits_for_many_sockets_counts_once() {
        let node = Arc::new(WaitingBytes::new(100_000));
        let shared = frame(10_000);
        let held: Vec<_> = (0..100).map(|_| node.hold(&shared).unwrap()).collect();
        assert_eq!(node.get(), 10_000 + 100 * PLACE);
        drop(held);
        assert_eq!(node.get(), 0);
    }

    #[test]
    fn there_is_no_room_beyond_the_bound_and_what_was_refused_takes_none() {
        let node = Arc::new(WaitingBytes::new(10_000));
        let held = node.hold(&frame(9_000)).unwrap();
        assert!(node.hold(&frame(1_000)).is_none());
        assert_eq!(node.get(), 9_000 + PLACE);
        drop(held);
        assert!(node.hold(&frame(1_000)).is_some());
    }
}
