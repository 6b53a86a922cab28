//! How long the queues of the rooms are.

use super::{Rooms, lock};
use crate::hub::lengths::Lengths;

impl Rooms {
    /// The lengths of the queues.
    pub(in crate::hub) fn lengths(&self) -> Lengths {
        let mut longest = Lengths {
            unconfirmed: self.unconfirmed_topics.len(),
            ..Lengths::default()
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
