//! Frames that wait to be written to the sockets of a room.

use std::sync::Arc;

use bytes::Bytes;

use crate::broker::{DeliveryClass, Frame};
use crate::hub::outbox::Outbox;
use crate::websocket;

/// The number of frames that may wait. Beyond it, lossy ones are dropped, and the head is announced in place of
/// messages.
const MAX_PENDING: usize = 4_096;
/// The number of bytes that may wait, with the same consequences.
const MAX_PENDING_BYTES: usize = 4 * 1024 * 1024;

/// The frames that wait for a room's next batch.
#[derive(Default)]
pub(super) struct Pending {
    frames: Vec<(DeliveryClass, Bytes)>,
    bytes: usize,
    lost_messages: bool,
    /// A task is writing batches until nothing is left.
    pub(super) is_draining: bool,
}

/// The members of a room at some moment.
pub(super) type MemberSnapshot = Arc<[Arc<Outbox>]>;

impl Pending {
    pub(super) fn push(&mut self, class: DeliveryClass, bytes: Bytes) {
        let has_room = self.frames.len() < MAX_PENDING
            && self.bytes.saturating_add(bytes.len()) <= MAX_PENDING_BYTES;
        match class {
            _ if has_room => {
                self.bytes += bytes.len();
                self.frames.push((class, bytes));
            }
            DeliveryClass::Message => self.lost_messages = true,
            DeliveryClass::Touch | DeliveryClass::Presence => {}
        }
    }

    /// How many frames wait, and their bytes.
    pub(super) fn length(&self) -> (usize, usize) {
        (self.frames.len(), self.bytes)
    }

    /// Takes all frames, followed by `head` if messages were dropped.
    pub(super) fn take(&mut self, head: impl FnOnce() -> Frame) -> Vec<(DeliveryClass, Bytes)> {
        let mut frames = std::mem::take(&mut self.frames);
        self.bytes = 0;
        if std::mem::take(&mut self.lost_messages) {
            let head = head();
            frames.push((head.class, websocket::text(&head.text)));
        }
        frames
    }
}
