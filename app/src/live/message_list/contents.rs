//! The rows of the list in their chunks, and how an update changes them.

use leptos::prelude::*;

use super::rows::{Chunk, Row, RowState, distance, messages};
use crate::live::view::{ListedEntry, ListedMessage};
use crate::model::{ClientMessageId, Seq};

/// A chunk of this length is closed: further messages go into the next one.
const CHUNK_LENGTH: usize = 50;
/// As long as messages are unsent, their chunk is closed at this length only: they keep their elements when they are
/// stored.
pub(super) const MAX_CHUNK_LENGTH: usize = 200;

/// What the list showed after the last update.
#[derive(Debug)]
pub(super) struct Contents {
    /// The last one ends with the unsent messages.
    pub(super) chunks: Vec<Chunk>,
    /// The number of the first listed entry of the log, and of the one after the last.
    pub(super) first: Seq,
    pub(super) next: Seq,
    /// How many messages are unsent.
    pub(super) unsent: usize,
    pub(super) next_id: u64,
    /// How often the list was cleared.
    pub(super) cleared: u64,
}

impl Contents {
    pub(super) fn update(&mut self, first: Seq, listed: &[ListedEntry], unsent: &[ListedMessage]) {
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

    pub(super) fn clear(&mut self, first: Seq) {
        self.chunks.clear();
        self.cleared += 1;
        self.unsent = 0;
        (self.first, self.next) = (first, first);
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
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
    pub(super) fn remove(&self, seq: Seq) {
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

    fn add_older(&mut self, older: &[ListedEntry]) {
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

    fn set_first_previous(&self, previous: Option<&ListedMessage>) {
        if let Some(row) = self.rows().next() {
            row.set(&row.entry(), previous);
        }
    }

    /// Adds stored messages, and replaces the unsent ones.
    fn add_newest(&mut self, new: &[ListedEntry], unsent: &[ListedMessage], may_close: bool) {
        // One that is stored behind a gap has no number before it is listed: with a number, a row can be deleted.
        let unsent = unsent.iter().map(|entry| ListedMessage {
            seq: Seq::ZERO,
            ..entry.clone()
        });
        let unsent: Vec<_> = unsent.collect();
        let (mut rows, mut unsent_rows) = self.open_chunk();
        let mut previous = match rows.last() {
            Some(row) => Some(row.entry()),
            None => self.last_closed(),
        };
        let stored = messages(new).count();
        for (index, entry) in messages(new).chain(&unsent).enumerate() {
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
    fn last_closed(&self) -> Option<ListedMessage> {
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

    fn new_row(&mut self, entry: &ListedMessage, previous: Option<&ListedMessage>) -> Row {
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

fn keys(rows: &[Row]) -> impl Iterator<Item = &ClientMessageId> {
    rows.iter().map(|row| &row.key)
}
