//! The rows of the list, and in which chunks they are.

use leptos::prelude::*;

use crate::live::view::{ListedEntry, ListedMessage};
use crate::model::{ClientMessageId, Seq};

/// A message and the one before it, on which its heading depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowState {
    /// The message.
    pub entry: ListedMessage,
    /// The message before it; `None` for the first listed one.
    pub previous: Option<ListedMessage>,
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

/// The messages among these entries of the log.
pub(super) fn messages(
    listed: &[ListedEntry],
) -> impl DoubleEndedIterator<Item = &ListedMessage> + Clone {
    listed.iter().filter_map(|it| it.message.as_ref())
}

impl Row {
    /// The number of the message; 0 until it is listed with the stored ones.
    pub(super) fn seq(&self) -> Seq {
        self.state.with_untracked(|state| state.entry.seq)
    }

    pub(super) fn entry(&self) -> ListedMessage {
        self.state.with_untracked(|state| state.entry.clone())
    }

    pub(super) fn set(&self, entry: &ListedMessage, previous: Option<&ListedMessage>) {
        let state = RowState::new(entry, previous);
        if self.state.with_untracked(|before| *before != state) {
            self.state.set(state);
        }
    }
}

impl RowState {
    pub(super) fn new(entry: &ListedMessage, previous: Option<&ListedMessage>) -> Self {
        Self {
            entry: entry.clone(),
            previous: previous.cloned(),
        }
    }
}

/// How many entries there are from `first` to `next`; 0 when that is before it.
pub(super) fn distance(first: Seq, next: Seq) -> usize {
    usize::try_from(next.get().saturating_sub(first.get())).unwrap_or(usize::MAX)
}
