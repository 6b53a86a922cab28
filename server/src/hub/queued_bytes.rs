//! The bytes that are queued for all sockets of a node. A frame counts once, however many queues hold it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::sync::Notify;

use super::batch::EncodedFrame;
use crate::sync::AtomicUsize;

/// The number of bytes that may be queued on a node. Beyond it, a socket whose next message would be queued is closed
/// as too slow, one with a partly written frame is reset, and touches are dropped.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// The bytes that an entry in a queue takes beside its frame.
const ENTRY_OVERHEAD: usize = size_of::<Reservation>();

/// Counts the queued bytes of a node.
#[derive(Debug)]
pub struct QueuedBytes {
    bytes: AtomicUsize,
    max: usize,
    /// Notified when little room is left.
    nearly_full: Notify,
}

impl Default for QueuedBytes {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl QueuedBytes {
    /// Creates a counter with room for this many bytes.
    pub(super) fn new(max: usize) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            max,
            nearly_full: Notify::new(),
        }
    }

    /// The number of queued bytes.
    pub(super) fn get(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// By how many bytes more than half of the room is in use; 0 if it is less.
    pub(super) fn excess_over_half(&self) -> usize {
        self.get().saturating_sub(self.max / 2)
    }

    /// Waits until more than three quarters of the room are in use.
    pub(super) async fn nearly_full(&self) {
        self.nearly_full.notified().await;
    }

    /// Reserves room for a frame in one more queue; `None` if there is not enough.
    pub(super) fn reserve(self: &Arc<Self>, frame: &EncodedFrame) -> Option<Reservation> {
        let (reservation, bytes) = self.count(frame);
        (bytes <= self.max).then_some(reservation)
    }

    /// Reserves room whatever the limit, for a small frame that has to be sent, such as a close frame.
    pub(super) fn reserve_unchecked(self: &Arc<Self>, frame: &EncodedFrame) -> Reservation {
        self.count(frame).0
    }

    /// Counts a frame, and returns the total with it.
    fn count(self: &Arc<Self>, frame: &EncodedFrame) -> (Reservation, usize) {
        let is_first = frame.queue_count.fetch_add(1, Ordering::Relaxed) == 0;
        let more = ENTRY_OVERHEAD + if is_first { frame.bytes.len() } else { 0 };
        let before = self.bytes.fetch_add(more, Ordering::Relaxed);
        let threshold = self.max / 4 * 3;
        if before <= threshold && before + more > threshold {
            self.nearly_full.notify_one();
        }
        let reservation = Reservation {
            bytes: frame.bytes.clone(),
            queue_count: Arc::clone(&frame.queue_count),
            queued_bytes: Arc::clone(self),
        };
        (reservation, before + more)
    }
}

/// A frame in one queue, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    bytes: Bytes,
    /// The number of queues that hold the frame.
    queue_count: Arc<AtomicUsize>,
    queued_bytes: Arc<QueuedBytes>,
}

impl Reservation {
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let is_last = self.queue_count.fetch_sub(1, Ordering::Relaxed) == 1;
        let less = ENTRY_OVERHEAD + if is_last { self.bytes.len() } else { 0 };
        self.queued_bytes.bytes.fetch_sub(less, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::DeliveryClass;

    fn frame(length: usize) -> EncodedFrame {
        EncodedFrame::new(DeliveryClass::Message, vec![0; length].into())
    }

    #[test]
    fn a_frame_in_many_queues_counts_once() {
        let queued_bytes = Arc::new(QueuedBytes::new(100_000));
        let shared = frame(10_000);
        let held: Vec<_> = (0..100)
            .map(|_| queued_bytes.reserve(&shared).unwrap())
            .collect();
        assert_eq!(queued_bytes.get(), 10_000 + 100 * ENTRY_OVERHEAD);
        drop(held);
        assert_eq!(queued_bytes.get(), 0);
    }

    #[test]
    fn a_refused_reservation_takes_no_room() {
        let queued_bytes = Arc::new(QueuedBytes::new(10_000));
        let held = queued_bytes.reserve(&frame(9_000)).unwrap();
        assert!(queued_bytes.reserve(&frame(1_000)).is_none());
        assert_eq!(queued_bytes.get(), 9_000 + ENTRY_OVERHEAD);
        drop(held);
        assert!(queued_bytes.reserve(&frame(1_000)).is_some());
    }
}
