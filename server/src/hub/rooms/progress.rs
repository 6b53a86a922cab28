//! The progress of the rooms' conversations, and how it changes when the subscription is interrupted.

use std::sync::Arc;

use app::model::{Cursor, LogEntry, LogPage, Seq, UploadId};
use tokio::time::Instant;

use super::life::Life;
use super::read_start::ReadStart;
use super::{Room, Rooms, lock};
use crate::broker::Frame;
use crate::hub::batch::Batch;
use crate::hub::epoch::Epoch;
use crate::hub::outbox::Outbox;
use crate::hub::recent::Progress;
use crate::random;

impl Rooms {
    /// The current epoch of the subscription.
    pub(in crate::hub) fn epoch(&self) -> Epoch {
        self.epochs.current()
    }

    /// The head for which an earlier answer to the same `watch` is still right: without an id in the cursor, if this
    /// node knows all messages after it without asking the store; with one, if the head is the store's.
    pub(in crate::hub) fn head_for_answer(&self, topic: UploadId, cursor: Cursor) -> Option<Seq> {
        let shard = self.shard(topic);
        let recent = &shard.rooms.get(&topic)?.recent;
        match cursor.id {
            Some(_) => recent.current_head(),
            None => recent.can_answer(cursor).then(|| recent.head()),
        }
    }

    /// The messages after `cursor`, if this node knows them without asking the store.
    pub(in crate::hub) fn recent(&self, topic: UploadId, cursor: Cursor) -> Option<LogPage> {
        self.shard(topic).rooms.get(&topic)?.recent.after(cursor)
    }

    /// The progress of a watched conversation.
    pub(in crate::hub) fn progress(&self, topic: UploadId) -> Option<Progress> {
        Some(self.shard(topic).rooms.get(&topic)?.recent.progress())
    }

    /// Whether a frame carried a number of this topic that is not known to be stored, or one that another entry has, or
    /// its upload may be gone.
    pub(in crate::hub) fn has_unconfirmed(&self, topic: UploadId) -> bool {
        let shard = self.shard(topic);
        let room = shard.rooms.get(&topic);
        room.is_some_and(Room::has_unconfirmed)
    }

    /// Whether this topic's upload may be gone, and the store has not been asked since.
    pub(in crate::hub) fn is_doubted(&self, topic: UploadId) -> bool {
        let shard = self.shard(topic);
        let room = shard.rooms.get(&topic);
        room.is_some_and(|room| room.life == Life::Doubted)
    }

    /// This topic's upload is to expire by now: has the store asked.
    pub(in crate::hub) fn doubt_existence(&self, topic: UploadId) {
        if let Some(room) = self.shard(topic).rooms.get_mut(&topic)
            && room.life == Life::Exists
        {
            room.life = Life::Doubted;
            self.unconfirmed_topics.add(topic);
        }
    }

    /// The store has this topic, at a moment after that was doubted.
    pub(in crate::hub) fn confirm_existence(&self, topic: UploadId) {
        if let Some(room) = self.shard(topic).rooms.get_mut(&topic)
            && room.life == Life::Doubted
        {
            room.life = Life::Exists;
        }
    }

    /// Tells the members of a topic by `notice` that its upload is gone, and forgets what is known of it. Returns
    /// whether they had yet to be told.
    pub(in crate::hub) fn end(self: &Arc<Self>, topic: UploadId, notice: &Frame) -> bool {
        let mut shard = self.shard(topic);
        let room = shard.rooms.get_mut(&topic);
        let Some(room) = room.filter(|room| room.life != Life::Gone) else {
            return false;
        };
        room.recent.clear();
        self.push(topic, room, notice);
        room.life = Life::Gone;
        true
    }

    /// See [`RecentEntries::discard_unstored`](crate::hub::recent::RecentEntries::discard_unstored).
    pub(in crate::hub) fn discard_unstored(
        &self,
        topic: UploadId,
        before: Progress,
        stored: Seq,
    ) -> bool {
        let mut shard = self.shard(topic);
        let room = shard.rooms.get_mut(&topic);
        room.is_some_and(|room| room.recent.discard_unstored(before, stored))
    }

    /// The lowest number of this topic with which frames carried two entries.
    pub(in crate::hub) fn conflict(&self, topic: UploadId) -> Option<Seq> {
        self.shard(topic).rooms.get(&topic)?.recent.conflict()
    }

    /// To be called before a page of the topic is read that is merged then. Returns `None` if nobody watches the topic.
    pub(in crate::hub) fn begin_read(&self, topic: UploadId) -> Option<ReadStart> {
        let shard = self.shard(topic);
        let room = shard.rooms.get(&topic)?;
        Some(self.read_start(room))
    }

    fn read_start(&self, room: &Room) -> ReadStart {
        ReadStart {
            epoch: self.epochs.current(),
            room_id: room.id,
            confirmations: room.confirmations,
        }
    }

    /// See [`RecentEntries::merge_page`](crate::hub::recent::RecentEntries::merge_page).
    pub(in crate::hub) fn merge_page(
        &self,
        topic: UploadId,
        page: &LogPage,
        begun: ReadStart,
    ) -> Option<LogEntry> {
        let mut shard = self.shard(topic);
        let room = shard.rooms.get_mut(&topic)?;
        // The page was read before.
        if room.life == Life::Gone {
            return None;
        }
        let is_uninterrupted = begun.epoch.is_connected() && begun == self.read_start(room);
        room.recent.merge_page(page, is_uninterrupted)
    }

    /// Puts the answer to a `watch` into an outbox, unless the epoch in which it was made is over. Returns whether it
    /// did.
    pub(in crate::hub) fn answer(
        &self,
        topic: UploadId,
        made_in: Epoch,
        outbox: &Outbox,
        answer: &Batch,
    ) -> bool {
        // Under the room's lock, so that the answer precedes the frame of `interrupt` or is not sent.
        let _room = self.shard(topic);
        let is_valid = made_in.is_connected() && made_in == self.epochs.current();
        if is_valid {
            outbox.answer(answer);
        }
        is_valid
    }

    /// Begins an interruption, and sends the `notice` of each topic to its members.
    pub(in crate::hub) fn interrupt(self: &Arc<Self>, notice: impl Fn(UploadId) -> Frame) {
        self.epochs.interrupted();
        for shard in &self.shards {
            for (topic, room) in &mut lock(shard).rooms {
                room.recent.invalidate();
                self.push(*topic, room, &notice(*topic));
            }
        }
    }

    /// Has the members of a topic watch again, by the `notices` of an interruption that is over at once: the store has
    /// another history than this node knew, and only the answer to a `watch` can reset a client.
    pub(in crate::hub) fn resynchronise(self: &Arc<Self>, topic: UploadId, notices: &[Frame; 2]) {
        if let Some(room) = self.shard(topic).rooms.get_mut(&topic) {
            for notice in notices {
                self.push(topic, room, notice);
            }
        }
    }

    /// Ends an interruption, during which frames may have been lost.
    pub(in crate::hub) fn repair(&self) {
        self.epochs.repaired();
        let now = Instant::now();
        for shard in &self.shards {
            for (topic, room) in &mut lock(shard).rooms {
                room.recent.invalidate();
                room.presence.on_repaired(now, random::random());
                self.schedule(*topic, &mut room.presence);
            }
        }
    }
}
