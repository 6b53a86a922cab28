//! The presence of the rooms' viewers.

use std::sync::Arc;

use app::model::{UploadId, Viewer};
use tokio::time::Instant;

use super::life::Life;
use super::{Membership, Room, Rooms, Shard, lock};
use crate::hub::frames::presence_frame;
use crate::hub::outbox::Outbox;
use crate::hub::presence::{Digest, Due, Event, Presence, Viewers};
use crate::random;

/// What has to be sent about a topic's viewers.
#[derive(Default)]
pub(in crate::hub) struct PresenceOutput {
    /// To the other nodes: this node's viewers, and whether to ask for theirs.
    pub digest: Option<(Viewers, bool)>,
    /// To these sockets; what all sockets get is on its way already.
    pub event: Option<(Vec<Arc<Outbox>>, Viewers)>,
}

impl Rooms {
    /// Records that a member's `watch` was answered, and what it said about itself, if it did.
    pub(in crate::hub) fn on_watched(&self, membership: &Membership, viewer: Option<Viewer>) {
        self.update(membership.topic, |room, now| {
            let slot = membership.slot;
            let member = room.members.get_mut(slot);
            let Some(member) = member.filter(|_| room.id == membership.room_id) else {
                return;
            };
            if let Some(viewer) = viewer {
                let viewer = (viewer != Viewer::default()).then(|| Arc::new(viewer));
                let before = std::mem::replace(&mut member.viewer, viewer);
                let viewer = member.viewer.as_ref();
                room.presence.rename(before.as_ref(), viewer, now);
            }
            room.presence.on_watched(slot, now);
        });
    }

    /// Handles another node's digest.
    pub(in crate::hub) fn on_digest(
        &self,
        topic: UploadId,
        digest: Digest,
    ) -> Result<(), &'static str> {
        let mut result = Ok(());
        self.update(topic, |room, now| {
            result = room.presence.on_digest(digest, now, random::random());
        });
        result
    }

    /// Does what is due about a topic's viewers, and returns what the caller has to send.
    pub(in crate::hub) fn take_due_presence(self: &Arc<Self>, topic: UploadId) -> PresenceOutput {
        let mut output = PresenceOutput::default();
        let is_watched = self.update(topic, |room, now| {
            let Due { digest, event } = room.presence.take_due(room.members.len(), now);
            output.digest = digest;
            match event {
                Some(Event::ToAll(viewers)) => {
                    self.push(topic, room, &presence_frame(topic, viewers));
                }
                Some(Event::To(slots, viewers)) if room.life != Life::Gone => {
                    let members = slots.into_iter().filter_map(|slot| room.members.get(slot));
                    let outboxes = members.map(|member| Arc::clone(&member.outbox)).collect();
                    output.event = Some((outboxes, viewers));
                }
                Some(Event::To(..)) | None => {}
            }
        });
        if !is_watched {
            output.digest = self.take_farewell(topic);
        }
        output
    }

    /// Returns what is due about a topic that no socket watches any more.
    fn take_farewell(&self, topic: UploadId) -> Option<(Viewers, bool)> {
        let mut shard = self.shard(topic);
        let presence = shard.left.get_mut(&topic)?;
        let Due { digest, .. } = presence.take_due(0, Instant::now());
        self.schedule(topic, presence);
        if presence.scheduled.is_none() {
            shard.left.remove(&topic);
        }
        digest
    }

    /// Has a digest published again that could not be.
    pub(in crate::hub) fn retry_presence(&self, topic: UploadId, asked: bool) {
        self.update(topic, |room, now| {
            room.presence.on_publish_failed(asked, now);
        });
    }

    /// The topics of which other nodes have viewers too. Once the node stops, no room is removed, so this includes
    /// those that the sockets have left since.
    pub(in crate::hub) fn shared_topics(&self) -> Vec<UploadId> {
        let mut topics = Vec::new();
        for shard in &self.shards {
            let Shard { rooms, left, .. } = &*lock(shard);
            let watched = rooms.iter().map(|(topic, room)| (topic, &room.presence));
            let shared = watched.chain(left).filter(|(_, it)| it.is_shared());
            topics.extend(shared.map(|(topic, _)| *topic));
        }
        topics
    }

    /// Changes a room's presence, and schedules the topic anew. False if there is no such room.
    fn update(&self, topic: UploadId, change: impl FnOnce(&mut Room, Instant)) -> bool {
        let mut shard = self.shard(topic);
        let room = shard.rooms.get_mut(&topic);
        let is_watched = room.is_some();
        if let Some(room) = room {
            change(room, Instant::now());
            self.schedule(topic, &mut room.presence);
        }
        is_watched
    }

    /// Schedules a topic anew after its presence has changed.
    pub(super) fn schedule(&self, topic: UploadId, presence: &mut Presence) {
        let due = presence.next_due();
        if due != presence.scheduled {
            let before = std::mem::replace(&mut presence.scheduled, due);
            self.due_presences.set(topic, before, due);
        }
    }
}
