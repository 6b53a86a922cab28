//! The messages as components show them. A change touches the rows that it is about and the chunk that they are in,
//! however many messages are listed.

mod contents;
mod rows;

use leptos::prelude::*;

use self::contents::Contents;
pub use self::rows::{Chunk, Row, RowState};
use self::rows::{distance, messages};

use super::view::{Delivery, ListedEntry, ListedMessage, Pin};
use crate::model::{MessageText, Seq};

/// The listed messages, in chunks: the stored ones, then the tab's own that are not stored yet. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct MessageList {
    /// Oldest first. Loading older messages adds a chunk before the others, which leaves these in their place in the
    /// document.
    pub chunks: RwSignal<Vec<Chunk>>,
    /// The last message; set when another one becomes the last.
    pub newest: RwSignal<Option<ListedMessage>>,
    /// The text of the first message of the conversation, also when it is not listed.
    pub first_text: RwSignal<Option<MessageText>>,
    /// The places of the listed messages, in the order of their numbers.
    pub pins: RwSignal<Vec<Pin>>,
    /// The numbers of the messages that go, or whose deletion can no longer be undone. Set before the list shows that,
    /// so that the focus can be moved.
    pub leaving: RwSignal<Vec<Seq>>,
    contents: StoredValue<Contents>,
}

impl MessageList {
    /// Starts with these entries of the log; `first` is the number of the first one.
    pub(super) fn new(
        (first, listed): (Seq, &[ListedEntry]),
        first_text: Option<MessageText>,
    ) -> Self {
        let list = Self {
            first_text: RwSignal::new(first_text),
            chunks: RwSignal::new(Vec::new()),
            newest: RwSignal::new(None),
            pins: RwSignal::new(Vec::new()),
            leaving: RwSignal::new(Vec::new()),
            contents: StoredValue::new(Contents {
                chunks: Vec::new(),
                first,
                next: first,
                unsent: 0,
                next_id: 0,
                cleared: 0,
            }),
        };
        list.update((first, listed), &[]);
        list
    }

    /// Shows the messages of these entries of the log, of which `first` is the number of the first one, and these
    /// unsent ones.
    pub(super) fn update(self, (first, listed): (Seq, &[ListedEntry]), unsent: &[ListedMessage]) {
        let chunks = self.contents.try_update_value(|contents| {
            let before = ids(&contents.chunks);
            contents.update(first, listed, unsent);
            (ids(&contents.chunks) != before).then(|| contents.chunks.clone())
        });
        if let Some(chunks) = chunks.flatten() {
            self.chunks.set(chunks);
        }
        let newest = unsent.last().or_else(|| messages(listed).next_back());
        let key = |entry: &ListedMessage| entry.key.clone();
        if self.newest.with_untracked(|it| it.as_ref().map(key)) != newest.map(key) {
            self.newest.set(newest.cloned());
        }
        let one = Seq::new(1);
        let message_one = if first == one {
            listed.first().map(|it| it.message.as_ref())
        } else {
            // One that is not listed may be deleted.
            let is_deleted = listed.iter().any(|it| it.deletes == Some(one));
            is_deleted.then_some(None)
        };
        if let Some(message) = message_one {
            let text = message.map(|entry| &entry.content);
            if self.first_text.with_untracked(|it| it.as_ref() != text) {
                self.first_text.set(text.cloned());
            }
        }
        self.update_pins(listed);
    }

    /// Shows the places of the messages that are not being deleted. Reads all listed messages, but sets the signal only
    /// if another one has a place.
    fn update_pins(self, listed: &[ListedEntry]) {
        let cleared = self.contents.with_value(|contents| contents.cleared);
        let pins = messages(listed).filter_map(|entry| {
            if matches!(entry.delivery, Delivery::Deleted { .. }) {
                return None;
            }
            let (at, number) = entry.at.zip(entry.pin)?;
            // A list that was cleared may have another message with the same number.
            Some(((cleared << 32) | u64::from(number.get()), number, at, entry))
        });
        let ids = pins.clone().map(|pin| pin.0);
        if self
            .pins
            .with_untracked(|before| ids.eq(before.iter().map(|pin| pin.id)))
        {
            return;
        }
        let pins = pins.map(|(id, number, at, entry)| Pin {
            id,
            number,
            at,
            seq: entry.seq,
            author_name: entry.author_name.clone(),
            author: entry.author,
        });
        self.pins.set(pins.collect());
    }

    /// The number of the first listed entry of the log, and of the one after the last.
    pub fn range(self) -> (Seq, Seq) {
        self.contents
            .with_value(|contents| (contents.first, contents.next))
    }

    /// How many messages of others are stored after this number, as far as is known, and the number of the first one of
    /// them that is listed.
    pub fn others_after(self, seq: Seq) -> (usize, Option<Seq>) {
        self.contents.with_value(|contents| {
            let skipped = distance(seq.next(), contents.first);
            let chunks = contents.chunks.iter().rev();
            let rows = chunks.flat_map(|chunk| chunk.rows.get_untracked().into_iter().rev());
            let entries = rows.map(|row| row.entry());
            let stored = entries.filter(|entry| entry.seq > Seq::ZERO);
            let later = stored.take_while(|entry| entry.seq > seq);
            let others = later.filter(|entry| !entry.mine);
            let counted = others.map(|entry| entry.seq);
            counted.fold((skipped, None), |(count, _), seq| (count + 1, Some(seq)))
        })
    }

    /// Forgets all messages: the next update brings others, from the number `first` on.
    pub(super) fn clear(self, first: Seq) {
        self.contents.update_value(|contents| contents.clear(first));
    }

    /// Removes the row of a message that was deleted.
    pub(super) fn remove(self, seq: Seq) {
        self.contents.with_value(|contents| contents.remove(seq));
    }

    /// Shows changes of messages that are listed already, as when the tab's own are known later, or one is being
    /// deleted.
    pub(super) fn refresh(self, listed: &[ListedEntry]) {
        self.contents.with_value(|contents| {
            let mut previous = None;
            for (row, entry) in contents.rows().zip(messages(listed)) {
                row.set(entry, previous);
                previous = Some(entry);
            }
        });
        self.update_pins(listed);
    }
}

fn ids(chunks: &[Chunk]) -> Vec<u64> {
    chunks.iter().map(|chunk| chunk.id).collect()
}

#[cfg(test)]
mod tests;
