//! How full the queues of the rooms are.

use super::{Rooms, lock};
use crate::hub::queue_lengths::QueueLengths;

impl Rooms {
    /// See [`QueueLengths`].
    pub(in crate::hub) fn queue_lengths(&self) -> QueueLengths {
        let mut longest = QueueLengths {
            unconfirmed: self.unconfirmed_topics.len(),
            ..QueueLengths::default()
        };
        for shard in &self.shards {
            for room in lock(shard).rooms.values() {
                let (pending, bytes) = room.pending.length();
                longest.pending = longest.pending.max(pending);
                longest.pending_bytes = longest.pending_bytes.max(bytes);
                longest.recent = longest.recent.max(room.recent.len());
            }
        }
        longest
    }
}
