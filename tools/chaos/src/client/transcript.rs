//! What a client listed under which number; kept beyond what the client itself keeps.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};
use std::num::NonZeroU32;

use app::live::{ListedEntry, ListedMessage};
use app::model::{
    AuthorName, AuthorTag, ClientMessageId, LogEntry, Message, MessageId, MessageText, Point, Seq,
    Timestamp,
};

/// An entry of the log as a client listed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: MessageId,
    /// The number of the message that it deletes.
    pub deletes: Option<Seq>,
    /// `None` for a deletion, and for a message that was deleted before it was listed.
    pub message: Option<Said>,
    /// Whether it is a message that is deleted.
    pub is_deleted: bool,
}

/// What must be the same in a list and in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub key: ClientMessageId,
    author_name: AuthorName,
    content: MessageText,
    pub created_at: Timestamp,
    author: Option<AuthorTag>,
    at: Option<Point>,
    pin: Option<NonZeroU32>,
}

impl Line {
    fn new(listed: &ListedEntry) -> Self {
        Self {
            id: listed.id,
            deletes: listed.deletes,
            message: listed.message.as_ref().map(said),
            is_deleted: is_deleted(listed),
        }
    }

    /// Whether it is this entry, in this state.
    pub fn is(&self, entry: &LogEntry) -> bool {
        self.is_or_was(entry) && self.is_deleted == matches!(entry, LogEntry::DeletedMessage(_))
    }

    /// Whether it is this entry, which only one of both may know to be deleted.
    pub fn is_or_was(&self, entry: &LogEntry) -> bool {
        self.id == entry.id()
            && match entry {
                LogEntry::Message(message) => {
                    self.is_deleted || self.message == Some(stored(message))
                }
                LogEntry::DeletedMessage(_) => self.deletes.is_none(),
                LogEntry::Deletion(deletion) => self.deletes == Some(deletion.deletes),
            }
    }

    /// When the message was stored, if it was listed.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.message.as_ref().map(|message| message.created_at)
    }
}

fn is_deleted(listed: &ListedEntry) -> bool {
    listed.message.is_none() && listed.deletes.is_none()
}

fn said(entry: &ListedMessage) -> Said {
    let entry = entry.clone();
    Said {
        key: entry.key,
        author_name: entry.author_name,
        content: entry.content,
        created_at: entry.created_at,
        author: entry.author,
        at: entry.at,
        pin: entry.pin,
    }
}

fn stored(message: &Message) -> Said {
    let message = message.clone();
    Said {
        key: message.client_message_id,
        author_name: message.author_name,
        content: message.content,
        created_at: message.created_at,
        author: message.author,
        at: message.at,
        pin: message.pin,
    }
}

/// Lines by their numbers.
pub type Lines = BTreeMap<Seq, Line>;

/// A part of a conversation as a client saw it.
#[derive(Debug, Default)]
pub struct Transcript {
    pub lines: Lines,
    /// The lists that were dropped because the server had another history, oldest first.
    pub dropped: Vec<Lines>,
    /// What the client itself wrote.
    pub written: Vec<ClientMessageId>,
    /// Where a list first contradicted an earlier one.
    pub error: Option<String>,
}

impl Transcript {
    /// Compares what is listed with what was listed before, and adds what is new; how many of the newest are.
    pub fn record(&mut self, first: Seq, listed: &[ListedEntry]) -> usize {
        let last_before = self.lines.last_key_value().map(|(seq, _)| *seq);
        let last = first.get() + listed.len() as u64 - 1;
        if last_before.is_some_and(|before| before.get() > last) {
            self.error(format!("it ends with {last} and had {last_before:?}"));
        }
        let (mut new, mut deleted) = (0, Vec::new());
        for (number, listed) in (first.get()..).zip(listed) {
            let seq = Seq::new(number);
            match self.lines.entry(seq) {
                Vacant(vacant) => {
                    vacant.insert(Line::new(listed));
                    deleted.extend(listed.deletes);
                    new += usize::from(last_before.is_none_or(|before| seq > before));
                }
                Occupied(known) if known.get().id != listed.id => {
                    let change = format!("{number} was {} and is {}", known.get().id, listed.id);
                    self.error(change);
                }
                Occupied(known) if known.get().is_deleted && listed.message.is_some() => {
                    self.error(format!("{number} is shown although it is deleted"));
                }
                Occupied(mut known) => known.get_mut().is_deleted = is_deleted(listed),
            }
        }
        // Of those that the client does not list any more, too.
        for seq in deleted {
            if let Some(line) = self.lines.get_mut(&seq) {
                line.is_deleted = true;
            }
        }
        new
    }

    /// The message with this number and id that the client has listed, also in a list that was dropped.
    pub fn said(&self, seq: Seq, id: MessageId) -> Option<&Said> {
        let lists = std::iter::once(&self.lines).chain(&self.dropped);
        let lines = lists.filter_map(|lines| lines.get(&seq));
        lines
            .filter(|line| line.id == id)
            .find_map(|line| line.message.as_ref())
    }

    /// The list has started anew: what it had is no longer compared with what it will have.
    pub fn restart(&mut self) {
        self.dropped.push(std::mem::take(&mut self.lines));
    }

    /// Whether messages between this one and those that were listed before were never listed.
    pub fn is_missing_before(&self, first: Seq) -> bool {
        let before = self.lines.range(..first).next_back();
        before.is_some_and(|(last, _)| last.next() < first)
    }

    fn error(&mut self, error: String) {
        self.error.get_or_insert(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::fixture::{deletion, entries};

    fn transcript(first: u64, next: u64) -> Transcript {
        let mut transcript = Transcript::default();
        transcript.record(Seq::new(first), &entries(first..next));
        transcript
    }

    #[test]
    fn newer_and_older_messages_are_added() {
        let mut transcript = transcript(5, 8);
        assert_eq!(transcript.record(Seq::new(6), &entries(6..10)), 2);
        assert_eq!(transcript.record(Seq::new(2), &entries(2..10)), 0);
        let lines: Vec<_> = transcript.lines.into_iter().collect();
        let expected = entries(2..10);
        let expected = (2..).map(Seq::new).zip(expected.iter().map(Line::new));
        assert_eq!(lines, expected.collect::<Vec<_>>());
        assert_eq!(transcript.error, None);
    }

    #[test]
    fn skipped_messages_are_missing_until_they_are_loaded() {
        let mut transcript = transcript(1, 4);
        transcript.record(Seq::new(8), &entries(8..10));
        assert!(transcript.is_missing_before(Seq::new(8)));
        transcript.record(Seq::new(4), &entries(4..10));
        assert!(!transcript.is_missing_before(Seq::new(4)));
    }

    #[test]
    fn a_list_that_starts_anew_may_have_other_messages() {
        let mut restarted = transcript(1, 5);
        restarted.restart();
        assert_eq!(restarted.record(Seq::new(1), &entries([1, 6])), 2);
        assert_eq!(restarted.error, None);
        assert_eq!((restarted.dropped[0].len(), restarted.lines.len()), (4, 2));
    }

    #[test]
    fn changed_order_and_removals_are_errors() {
        let mut changed = transcript(1, 4);
        changed.record(Seq::new(1), &entries([1, 3, 2, 4]));
        assert!(changed.error.is_some());
        let mut removed = transcript(1, 5);
        removed.record(Seq::new(1), &entries(1..3));
        assert!(removed.error.is_some());
    }

    #[test]
    fn a_deleted_message_stays_deleted() {
        let mut transcript = transcript(1, 4);
        let deletes_2 = deletion(4, 2);
        transcript.record(Seq::new(4), std::slice::from_ref(&deletes_2));
        assert!(transcript.lines[&Seq::new(2)].is_deleted);
        let mut listed = entries(1..4);
        listed.push(deletes_2);
        transcript.record(Seq::new(1), &listed);
        assert_eq!(
            transcript.error.unwrap(),
            "2 is shown although it is deleted"
        );
    }
}
