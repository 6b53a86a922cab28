//! Unsent messages are kept in the tab's session storage, so that they survive a reload, and the browser warns before
//! the page is left with them.

use gloo_events::{EventListener, EventListenerOptions};
use web_sys::{Event, window};

use crate::browser::storage;
use crate::live::view::{Delivery, ListedMessage};
use crate::model::{ClientMessageId, NewMessage, ShortId};

/// The unsent messages of a conversation, as they are stored.
pub(super) struct Unsent {
    upload: ShortId,
    /// `None` before the first time.
    stored: Option<Vec<ClientMessageId>>,
    /// Listens while there are any.
    warning: Option<EventListener>,
}

impl Unsent {
    /// Returns what is stored besides. A copy of the tab has the same, under the same ids.
    pub fn read(upload: ShortId) -> (Self, Vec<NewMessage>) {
        let unsent = Self {
            upload,
            stored: None,
            warning: None,
        };
        (unsent, storage::read_unsent(upload))
    }

    /// Stores these messages, without those that the server has stored. When the storage is full or forbidden, they are
    /// only in this document.
    pub fn write(&mut self, entries: &[ListedMessage]) {
        let unsent = entries.iter().filter(|it| it.delivery != Delivery::Sent);
        let keys: Vec<_> = unsent.clone().map(|it| it.key.clone()).collect();
        if self.stored.as_ref() == Some(&keys) {
            return;
        }
        self.stored = Some(keys);
        let messages: Vec<_> = unsent.map(ListedMessage::to_new).collect();
        storage::write_unsent(self.upload, &messages);
        if messages.is_empty() {
            self.warning = None;
        } else if self.warning.is_none() {
            self.warning = warn_before_leaving();
        }
    }
}

fn warn_before_leaving() -> Option<EventListener> {
    let window = window()?;
    let options = EventListenerOptions::enable_prevent_default();
    Some(EventListener::new_with_options(
        &window,
        "beforeunload",
        options,
        Event::prevent_default,
    ))
}
