//! From a room to its sockets. Whatever has come by the time its turn begins is written to each socket at once: under
//! light load a frame goes out as it comes, under heavy load many go out with one call of the kernel.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};

use super::pending::Everyone;
use super::{Room, Rooms};
use crate::broker::Topic;
use crate::hub::batch::Batch;
use crate::hub::frames::head_frame;
use crate::hub::outbox::Outbox;

/// Sockets that are written to before other tasks have their turn.
const AT_ONCE: usize = 32;
/// A room is split between the runtime's threads when each gets at least so many sockets.
const MIN_SHARE: usize = 256;

impl Rooms {
    /// Takes turns until nothing waits.
    pub(super) async fn fan_out(self: Arc<Self>, topic: Topic, room: u64) {
        while let Some((batch, everyone)) = self.next_turn(topic, room) {
            for frame in batch.frames() {
                self.metrics.delivered(frame.class, everyone.len());
            }
            let threads = Handle::current().metrics().num_workers();
            let share = everyone.len().div_ceil(threads).max(MIN_SHARE);
            if share >= everyone.len() {
                let dropped = write(&everyone, &batch).await;
                self.metrics.touches_dropped(dropped);
                continue;
            }
            let batch = Arc::new(batch);
            let mut shares = JoinSet::new();
            for start in (0..everyone.len()).step_by(share) {
                let (everyone, batch) = (Arc::clone(&everyone), Arc::clone(&batch));
                let sockets = start..(start + share).min(everyone.len());
                shares.spawn(async move { write(&everyone[sockets], &batch).await });
            }
            // The next turn begins when this one is over, so that every socket gets the frames in their order.
            let dropped: usize = shares.join_all().await.into_iter().sum();
            self.metrics.touches_dropped(dropped);
        }
    }

    fn next_turn(&self, topic: Topic, room: u64) -> Option<(Batch, Everyone)> {
        let mut shard = self.shard(topic);
        let room = shard.rooms.get_mut(&topic).filter(|it| it.id == room)?;
        let head = room.recent.head();
        let frames = room.pending.take(|| head_frame(topic, head));
        if frames.is_empty() {
            room.pending.running = false;
            return None;
        }
        Some((Batch::of(frames), room.everyone()))
    }
}

impl Room {
    fn everyone(&mut self) -> Everyone {
        let members = &self.members;
        let everyone = self.everyone.get_or_insert_with(|| {
            let members = members.iter().map(|(_, outbox)| Arc::clone(outbox));
            members.collect()
        });
        Arc::clone(everyone)
    }
}

/// Writes to these sockets; how many touches were dropped.
async fn write(sockets: &[Arc<Outbox>], batch: &Batch) -> usize {
    let mut dropped = 0;
    for some in sockets.chunks(AT_ONCE) {
        dropped += some.iter().map(|outbox| outbox.push(batch)).sum::<usize>();
        yield_now().await;
    }
    dropped
}
