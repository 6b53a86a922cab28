//! Writes a room's frames to its sockets, in batches: under light load a frame is written as it arrives, under heavy
//! load one system call per socket writes many.

use std::sync::Arc;

use app::model::UploadId;
use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};

use super::pending::MemberSnapshot;
use super::{Room, Rooms};
use crate::hub::batch::Batch;
use crate::hub::frames::head_frame;
use crate::hub::outbox::Outbox;
use crate::panics::CancelOnPanic;

/// The number of sockets that are written to before the task yields.
const SOCKETS_PER_YIELD: usize = 32;
/// A room is split between the runtime's threads if each gets at least this many sockets.
const MIN_SOCKETS_PER_TASK: usize = 256;

impl Rooms {
    /// Writes batches until no frame is left.
    pub(super) async fn fan_out(self: Arc<Self>, topic: UploadId, room_id: u64) {
        // Without a copy of the token, as this runs for each frame under light load.
        let _guard = CancelOnPanic(&self.shutdown);
        while let Some((batch, snapshot)) = self.next_batch(topic, room_id) {
            for frame in batch.frames() {
                self.metrics.delivered(frame.class, snapshot.len());
            }
            let threads = Handle::current().metrics().num_workers();
            let share = snapshot.len().div_ceil(threads).max(MIN_SOCKETS_PER_TASK);
            if share >= snapshot.len() {
                let dropped = write(&snapshot, &batch).await;
                self.metrics.touches_dropped(dropped);
                continue;
            }
            let batch = Arc::new(batch);
            let mut shares = JoinSet::new();
            for start in (0..snapshot.len()).step_by(share) {
                let (snapshot, batch) = (Arc::clone(&snapshot), Arc::clone(&batch));
                let sockets = start..(start + share).min(snapshot.len());
                shares.spawn(async move { write(&snapshot[sockets], &batch).await });
            }
            // The next batch begins after this one, so that every socket gets the frames in their order.
            let dropped: usize = shares.join_all().await.into_iter().sum();
            self.metrics.touches_dropped(dropped);
        }
    }

    fn next_batch(&self, topic: UploadId, room_id: u64) -> Option<(Batch, MemberSnapshot)> {
        let mut shard = self.shard(topic);
        let room = shard.rooms.get_mut(&topic).filter(|it| it.id == room_id)?;
        let head = room.recent.head();
        let frames = room.pending.take(|| head_frame(topic, head));
        if frames.is_empty() {
            room.pending.is_draining = false;
            return None;
        }
        Some((Batch::new(frames), room.snapshot()))
    }
}

impl Room {
    fn snapshot(&mut self) -> MemberSnapshot {
        let members = &self.members;
        let snapshot = self.snapshot.get_or_insert_with(|| {
            let members = members.iter().map(|(_, member)| Arc::clone(&member.outbox));
            members.collect()
        });
        Arc::clone(snapshot)
    }
}

/// Writes to these sockets, and returns the number of dropped touches.
async fn write(sockets: &[Arc<Outbox>], batch: &Batch) -> usize {
    let mut dropped = 0;
    for chunk in sockets.chunks(SOCKETS_PER_YIELD) {
        dropped += chunk.iter().map(|outbox| outbox.push(batch)).sum::<usize>();
        yield_now().await;
    }
    dropped
}
