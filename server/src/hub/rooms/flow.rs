//! What the rooms know of their conversations, and what happens to that when frames stop flowing.

use std::sync::Arc;

use app::model::{MessagePage, Seq};

use super::{Rooms, lock};
use crate::broker::{Frame, Topic};
use crate::hub::batch::Batch;
use crate::hub::era::Era;
use crate::hub::outbox::Outbox;
use crate::hub::recent::Progress;

impl Rooms {
    /// The present stretch of time in which frames flow, or do not.
    pub(in crate::hub) fn era(&self) -> Era {
        self.eras.now()
    }

    /// The head, if this node knows what comes after `after` as well as the store does.
    pub(in crate::hub) fn head_after(&self, topic: Topic, after: Seq) -> Option<Seq> {
        let shard = self.shard(topic);
        let recent = &shard.rooms.get(&topic)?.recent;
        recent.knows(after).then(|| recent.head())
    }

    /// What comes after `after`, if this node knows it as well as the store does.
    pub(in crate::hub) fn recent(&self, topic: Topic, after: Seq) -> Option<MessagePage> {
        self.shard(topic).rooms.get(&topic)?.recent.after(after)
    }

    /// How far a conversation has come that this node watches.
    pub(in crate::hub) fn progress(&self, topic: Topic) -> Option<Progress> {
        Some(self.shard(topic).rooms.get(&topic)?.recent.progress())
    }

    /// Whether a frame named a number of it that is not known to be stored.
    pub(in crate::hub) fn is_claimed(&self, topic: Topic) -> bool {
        self.progress(topic).is_some_and(|it| it.claimed.is_some())
    }

    /// Forgets what had been heard `before` the store was asked and is more than it has `stored`; whether there was such.
    pub(in crate::hub) fn refute(&self, topic: Topic, before: Progress, stored: Seq) -> bool {
        let mut shard = self.shard(topic);
        let room = shard.rooms.get_mut(&topic);
        room.is_some_and(|room| room.recent.refute(before, stored))
    }

    /// Learns what the store said when it was asked in that era, after the topic had been subscribed.
    pub(in crate::hub) fn learn(&self, topic: Topic, page: &MessagePage, asked: Era) {
        if let Some(room) = self.shard(topic).rooms.get_mut(&topic) {
            let frames_flowed = asked.flows() && asked == self.eras.now();
            room.recent.read(page, frames_flowed);
        }
    }

    /// Puts the answer to a `watch` into one outbox, unless frames stopped flowing since the era in which it was made.
    pub(in crate::hub) fn answer(
        &self,
        topic: Topic,
        made: Era,
        outbox: &Outbox,
        answer: &Batch,
    ) -> bool {
        // Under the room's lock, so that it stands before what `interrupt` tells, or is not sent.
        let _room = self.shard(topic);
        let holds = made.flows() && made == self.eras.now();
        if holds {
            outbox.answer(answer);
        }
        holds
    }

    /// Frames do not flow any more: everyone is told what `tell` makes for the topic.
    pub(in crate::hub) fn interrupt(self: &Arc<Self>, tell: impl Fn(Topic) -> Frame) {
        self.eras.interrupted();
        for shard in &self.shards {
            for (topic, room) in &mut lock(shard).rooms {
                room.recent.doubt();
                self.push(*topic, room, &tell(*topic));
            }
        }
    }

    /// Frames flow again, but some were lost.
    pub(in crate::hub) fn repair(&self) {
        self.eras.repaired();
        for shard in &self.shards {
            for room in lock(shard).rooms.values_mut() {
                room.recent.doubt();
            }
        }
    }
}
