//! What waits for a room's next turn.

use std::sync::Arc;

use bytes::Bytes;

use crate::broker::{DeliveryClass, Frame};
use crate::hub::outbox::Outbox;
use crate::websocket;

/// Frames that may wait for a room's next turn. Of more, touches are dropped; for a message, the head is told instead.
const MAX_PENDING: usize = 4_096;
/// The same in bytes.
const MAX_PENDING_BYTES: usize = 4 * 1024 * 1024;
/// What waits for a room's next turn.
#[derive(Default)]
pub(super) struct Pending {
    frames: Vec<(DeliveryClass, Bytes)>,
    bytes: usize,
    lost_messages: bool,
    /// A task takes the room's turns until nothing is left.
    pub(super) running: bool,
}

/// The sockets of a room at some moment.
pub(super) type Everyone = Arc<[Arc<Outbox>]>;

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
            DeliveryClass::Touch => {}
        }
    }

    /// Takes all of it; when messages found no room, `head` comes behind it.
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
