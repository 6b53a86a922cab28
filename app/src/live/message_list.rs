//! The messages as components show them. A change touches the rows that it is about and the chunk that they are in, however
//! many messages are listed.

use leptos::prelude::*;

use super::view::{Delivery, Entry, Listed, Pin};
use crate::model::{ClientMessageId, MessageText, Seq};

/// A chunk of this length is closed: further messages go into the next one.
const CHUNK_LENGTH: usize = 50;
/// As long as messages are unsent, their chunk is closed at this length only: they keep their elements when they are
/// stored.
const MAX_CHUNK_LENGTH: usize = 200;

/// A message and the one before it, on which its heading depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowState {
    /// The message.
    pub entry: Entry,
    /// The message before it; `None` for the first listed one.
    pub previous: Option<Entry>,
}

/// The place of a message in the list. It stays the same from *sending* to *sent*.
#[derive(Debug, Clone)]
pub struct Row {
    /// Unique in the list.
    pub id: u64,
    /// The message's id.
    pub key: ClientMessageId,
    /// What may change while it is listed.
    pub state: ArcRwSignal<RowState>,
}

/// Messages that follow each other.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Unique in the list.
    pub id: u64,
    /// Oldest first.
    pub rows: ArcRwSignal<Vec<Row>>,
}

/// The listed messages, in chunks: the stored ones, then the tab's own that are not stored yet. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct MessageList {
    /// Oldest first. Loading older messages adds a chunk before the others, which leaves these in their place in the
    /// document.
    pub chunks: RwSignal<Vec<Chunk>>,
    /// The last message; set when another one becomes the last.
    pub newest: RwSignal<Option<Entry>>,
    /// The text of the first message of the conversation, also when it is not listed.
    pub first_text: RwSignal<Option<MessageText>>,
    /// The places of the listed messages, in the order of their numbers.
    pub pins: RwSignal<Vec<Pin>>,
    /// The numbers of the messages that go, or whose deletion can no longer be undone. Set before the list shows that, so
    /// that the focus can be moved.
    pub leaving: RwSignal<Vec<Seq>>,
    contents: StoredValue<Contents>,
}

/// What the list showed after the last update.
#[derive(Debug)]
struct Contents {
    /// The last one ends with the unsent messages.
    chunks: Vec<Chunk>,
    /// The number of the first listed entry of the log, and of the one after the last.
    first: Seq,
    next: Seq,
    /// How many messages are unsent.
    unsent: usize,
    next_id: u64,
    /// How often the list was cleared.
    cleared: u64,
}

impl MessageList {
    /// Starts with these entries of the log; `first` is the number of the first one.
    pub(super) fn new((first, listed): (Seq, &[Listed]), first_text: Option<MessageText>) -> Self {
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

    /// Shows the messages of these entries of the log, of which `first` is the number of the first one, and these unsent
    /// ones.
    pub(super) fn update(self, (first, listed): (Seq, &[Listed]), unsent: &[Entry]) {
        let chunks = self.contents.try_update_value(|contents| {
            let before = ids(&contents.chunks);
            contents.update(first, listed, unsent);
            (ids(&contents.chunks) != before).then(|| contents.chunks.clone())
        });
        if let Some(chunks) = chunks.flatten() {
            self.chunks.set(chunks);
        }
        let newest = unsent.last().or_else(|| messages(listed).next_back());
        let key = |entry: &Entry| entry.key.clone();
        if self.newest.with_untracked(|it| it.as_ref().map(key)) != newest.map(key) {
            self.newest.set(newest.cloned());
        }
        if first == Seq::new(1)
            && let Some(one) = listed.first()
        {
            let text = one.message.as_ref().map(|entry| &entry.content);
            if self.first_text.with_untracked(|it| it.as_ref() != text) {
                self.first_text.set(text.cloned());
            }
        }
        self.update_pins(listed);
    }

    /// Shows the places of the messages that are not being deleted. Reads all listed messages, but sets the signal only if another one has a place.
    fn update_pins(self, listed: &[Listed]) {
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

    /// Shows changes of messages that are listed already, as when the tab's own are known later, or one is being deleted.
    pub(super) fn refresh(self, listed: &[Listed]) {
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

impl Contents {
    fn update(&mut self, first: Seq, listed: &[Listed], unsent: &[Entry]) {
        let next = Seq::new(first.get() + listed.len() as u64);
        if first > self.next || next < self.first {
            self.clear(first);
        }
        let trimmed = first > self.first;
        if trimmed {
            self.remove_oldest(first);
        }
        self.add_older(&listed[..distance(first, self.first)]);
        self.first = first;
        let new = listed.get(distance(first, self.next)..).unwrap_or_default();
        self.next = next;
        // Leptos moves elements in the document when a list loses some at one end and gets others at the other end.
        self.add_newest(new, unsent, !trimmed);
    }

    fn clear(&mut self, first: Seq) {
        self.chunks.clear();
        self.cleared += 1;
        self.unsent = 0;
        (self.first, self.next) = (first, first);
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        let chunks = self.chunks.iter();
        chunks.flat_map(|chunk| chunk.rows.get_untracked())
    }

    /// Removes the stored messages before this number.
    fn remove_oldest(&mut self, first: Seq) {
        while let Some(chunk) = self.chunks.first() {
            let is_older = |row: &Row| (Seq::new(1)..first).contains(&row.seq());
            let older = |rows: &Vec<Row>| rows.iter().take_while(|row| is_older(row)).count();
            let (count, length) = chunk.rows.with_untracked(|rows| (older(rows), rows.len()));
            if count < length || self.chunks.len() == 1 {
                if count > 0 {
                    chunk.rows.update(|rows| drop(rows.drain(..count)));
                }
                break;
            }
            self.chunks.remove(0);
        }
        self.set_first_previous(None);
    }

    /// Removes the row of this stored message. A chunk stays, even when it is empty.
    fn remove(&self, seq: Seq) {
        let mut previous = None;
        for chunk in &self.chunks {
            let rows = chunk.rows.get_untracked();
            let Some(index) = rows.iter().position(|row| row.seq() == seq) else {
                previous = rows.last().map(Row::entry).or(previous);
                continue;
            };
            let before = index.checked_sub(1).and_then(|index| rows.get(index));
            let previous = before.map(Row::entry).or(previous);
            let mut rows_after = self.rows().skip_while(|row| row.seq() != seq).skip(1);
            if let Some(next) = rows_after.next() {
                next.set(&next.entry(), previous.as_ref());
            }
            chunk.rows.update(|rows| drop(rows.remove(index)));
            return;
        }
    }

    fn add_older(&mut self, older: &[Listed]) {
        let Some(last) = messages(older).next_back() else {
            return;
        };
        self.set_first_previous(Some(last));
        let mut previous = None;
        let mut rows = Vec::new();
        for entry in messages(older) {
            rows.push(self.new_row(entry, previous));
            previous = Some(entry);
        }
        let chunk = self.new_chunk(rows);
        self.chunks.insert(0, chunk);
    }

    fn set_first_previous(&self, previous: Option<&Entry>) {
        if let Some(row) = self.rows().next() {
            row.set(&row.entry(), previous);
        }
    }

    /// Adds stored messages, and replaces the unsent ones.
    fn add_newest(&mut self, new: &[Listed], unsent: &[Entry], may_close: bool) {
        let (mut rows, mut unsent_rows) = self.open_chunk();
        let mut previous = match rows.last() {
            Some(row) => Some(row.entry()),
            None => self.last_closed(),
        };
        let stored = messages(new).count();
        for (index, entry) in messages(new).chain(unsent).enumerate() {
            let is_full = rows.len() >= CHUNK_LENGTH && unsent_rows.is_empty();
            // The unsent messages stay together.
            let may_close = may_close && index <= stored;
            if may_close && (is_full || rows.len() >= MAX_CHUNK_LENGTH) {
                self.set_open_chunk(std::mem::take(&mut rows));
                let chunk = self.new_chunk(Vec::new());
                self.chunks.push(chunk);
            }
            let shown = unsent_rows.iter().position(|row| row.key == entry.key);
            let row = match shown {
                Some(index) => unsent_rows.remove(index),
                None => self.new_row(entry, previous.as_ref()),
            };
            row.set(entry, previous.as_ref());
            rows.push(row);
            previous = Some(entry.clone());
        }
        self.set_open_chunk(rows);
        self.unsent = unsent.len();
    }

    /// The rows of the last chunk: stored, and unsent.
    fn open_chunk(&mut self) -> (Vec<Row>, Vec<Row>) {
        if self.chunks.is_empty() {
            let chunk = self.new_chunk(Vec::new());
            self.chunks.push(chunk);
        }
        let mut rows = self.chunks[self.chunks.len() - 1].rows.get_untracked();
        let unsent = rows.split_off(rows.len().saturating_sub(self.unsent));
        (rows, unsent)
    }

    fn set_open_chunk(&self, rows: Vec<Row>) {
        if let Some(chunk) = self.chunks.last()
            && chunk
                .rows
                .with_untracked(|before| !keys(before).eq(keys(&rows)))
        {
            chunk.rows.set(rows);
        }
    }

    /// The last message of the chunk before the last one.
    fn last_closed(&self) -> Option<Entry> {
        let chunk = self.chunks.iter().rev().nth(1)?;
        chunk
            .rows
            .with_untracked(|rows| rows.last().map(Row::entry))
    }

    fn new_chunk(&mut self, rows: Vec<Row>) -> Chunk {
        Chunk {
            id: self.new_id(),
            rows: ArcRwSignal::new(rows),
        }
    }

    fn new_row(&mut self, entry: &Entry, previous: Option<&Entry>) -> Row {
        Row {
            id: self.new_id(),
            key: entry.key.clone(),
            state: ArcRwSignal::new(RowState::new(entry, previous)),
        }
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// The messages among these entries of the log.
fn messages(listed: &[Listed]) -> impl DoubleEndedIterator<Item = &Entry> + Clone {
    listed.iter().filter_map(|it| it.message.as_ref())
}

impl Row {
    /// The number of the message; 0 until it is stored.
    fn seq(&self) -> Seq {
        self.state.with_untracked(|state| state.entry.seq)
    }

    fn entry(&self) -> Entry {
        self.state.with_untracked(|state| state.entry.clone())
    }

    fn set(&self, entry: &Entry, previous: Option<&Entry>) {
        let state = RowState::new(entry, previous);
        if self.state.with_untracked(|before| *before != state) {
            self.state.set(state);
        }
    }
}

impl RowState {
    fn new(entry: &Entry, previous: Option<&Entry>) -> Self {
        Self {
            entry: entry.clone(),
            previous: previous.cloned(),
        }
    }
}

fn ids(chunks: &[Chunk]) -> Vec<u64> {
    chunks.iter().map(|chunk| chunk.id).collect()
}

fn keys(rows: &[Row]) -> impl Iterator<Item = &ClientMessageId> {
    rows.iter().map(|row| &row.key)
}

/// How many messages there are from `first` to `next`; 0 when that is before it.
fn distance(first: Seq, next: Seq) -> usize {
    usize::try_from(next.get().saturating_sub(first.get())).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
