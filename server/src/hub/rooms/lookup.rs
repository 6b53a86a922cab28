//! Which rooms there are.

use app::model::{UploadId, UploadRef};

use super::life::Life;
use super::watched_upload::WatchedUpload;
use super::{Rooms, lock};

impl Rooms {
    /// The number of rooms.
    pub(in crate::hub) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).rooms.len())
            .sum()
    }

    /// The topics of all rooms.
    pub(in crate::hub) fn topics(&self) -> Vec<UploadId> {
        let mut topics = Vec::new();
        for shard in &self.shards {
            topics.extend(lock(shard).rooms.keys());
        }
        topics
    }

    /// Finds an upload among those that this node watches.
    pub(in crate::hub) fn find(&self, upload: UploadRef) -> Option<WatchedUpload> {
        let topic = match upload {
            UploadRef::Id(id) => id,
            UploadRef::Short(short_id) => *lock(&self.topics_by_short_id).get(&short_id)?,
        };
        let shard = self.shard(topic);
        // Of one that may be gone the store knows more.
        let room = shard
            .rooms
            .get(&topic)
            .filter(|room| room.life == Life::Exists)?;
        Some(room.upload)
    }
}
