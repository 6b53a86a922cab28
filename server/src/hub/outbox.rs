//! What waits to be written to one socket. Bounded: touches are dropped oldest first, messages never silently.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

use crate::broker::{DeliveryClass, Frame};

/// Message frames that may wait. One more means that the client reads too slowly: its socket is closed with 1013,
/// and it resyncs from the store.
pub const MAX_WAITING_MESSAGES: usize = 256;
/// Touch frames that may wait. One more drops the oldest.
pub const MAX_WAITING_TOUCHES: usize = 64;

/// The frames waiting for one socket. Any task may push; the socket's own task takes.
#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Utf8Bytes>,
    touches: VecDeque<Utf8Bytes>,
    overflowed: bool,
}

/// The socket read too slowly: message frames were lost to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflowed;

impl Outbox {
    /// Adds a frame. Never waits.
    pub fn push(&self, frame: &Frame) {
        let mut waiting = self.lock();
        match frame.class {
            DeliveryClass::Message if waiting.messages.len() >= MAX_WAITING_MESSAGES => {
                waiting.overflow();
            }
            DeliveryClass::Message if waiting.overflowed => return,
            DeliveryClass::Message => waiting.messages.push_back(frame.text.clone()),
            DeliveryClass::Touch => {
                if waiting.touches.len() >= MAX_WAITING_TOUCHES {
                    waiting.touches.pop_front();
                }
                waiting.touches.push_back(frame.text.clone());
            }
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Waits for frames and takes all that wait: messages first, in their order, then touches.
    ///
    /// # Errors
    /// [`Overflowed`] once messages were lost; what waited is gone, since a gap follows it anyway.
    pub async fn take(&self) -> Result<Vec<Utf8Bytes>, Overflowed> {
        loop {
            if let Some(taken) = self.lock().take() {
                return taken;
            }
            self.changed.notified().await;
        }
    }

    /// Waits until messages are lost; for use while a write is under way.
    pub async fn overflowed(&self) {
        while !self.lock().overflowed {
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn overflow(&mut self) {
        self.overflowed = true;
        self.messages.clear();
        self.touches.clear();
    }

    fn take(&mut self) -> Option<Result<Vec<Utf8Bytes>, Overflowed>> {
        if self.overflowed {
            Some(Err(Overflowed))
        } else if self.messages.is_empty() && self.touches.is_empty() {
            None
        } else {
            Some(Ok(self
                .messages
                .drain(..)
                .chain(self.touches.drain(..))
                .collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn frame(class: DeliveryClass, text: impl Into<String>) -> Frame {
        Frame {
            class,
            text: text.into().into(),
        }
    }

    #[tokio::test]
    async fn messages_come_out_in_order_and_before_touches() {
        let outbox = Outbox::default();
        outbox.push(&frame(DeliveryClass::Touch, "t"));
        outbox.push(&frame(DeliveryClass::Message, "1"));
        outbox.push(&frame(DeliveryClass::Message, "2"));
        assert_eq!(
            outbox.take().await,
            Ok(vec!["1".into(), "2".into(), "t".into()])
        );
    }

    #[tokio::test]
    async fn a_full_outbox_drops_the_oldest_touches() {
        let outbox = Outbox::default();
        for n in 0..=MAX_WAITING_TOUCHES {
            outbox.push(&frame(DeliveryClass::Touch, n.to_string()));
        }
        let taken = outbox.take().await.unwrap();
        assert_eq!(taken.len(), MAX_WAITING_TOUCHES);
        assert_eq!(taken[0], "1");
    }

    #[tokio::test]
    async fn one_message_too_many_is_told_and_never_skipped_silently() {
        let outbox = Outbox::default();
        for n in 0..=MAX_WAITING_MESSAGES {
            outbox.push(&frame(DeliveryClass::Message, n.to_string()));
        }
        outbox.push(&frame(DeliveryClass::Message, "after the gap"));
        let told = timeout(Duration::from_secs(5), outbox.overflowed()).await;
        assert!(told.is_ok(), "whoever writes to the socket is told");
        assert_eq!(outbox.take().await, Err(Overflowed));
    }

    #[tokio::test]
    async fn as_many_messages_as_fit_are_kept_whatever_the_touches() {
        let outbox = Outbox::default();
        for n in 0..MAX_WAITING_MESSAGES {
            outbox.push(&frame(DeliveryClass::Message, n.to_string()));
            outbox.push(&frame(DeliveryClass::Touch, "t"));
        }
        let taken = outbox.take().await.unwrap();
        assert_eq!(taken.len(), MAX_WAITING_MESSAGES + MAX_WAITING_TOUCHES);
    }
}
