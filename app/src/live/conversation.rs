//! The log of a conversation in its order: the list has no gaps, and entries behind a gap are buffered. A deletion that
//! is listed removes its message from the list.

use super::view::{Delivery, ListedEntry, ListedMessage};
use crate::model::{AuthorTag, Cursor, LogEntry, LogPage, Message, MessageId, Seq};

/// How many entries behind a gap are buffered. When there are more, the last ones are dropped: the request that fills
/// the gap brings them.
const MAX_BUFFERED: usize = 200;
/// How many entries stay listed, besides those that the reader has loaded. When there are more, the oldest are removed,
/// some at a time; they can be loaded again.
const MAX_LISTED: usize = 2_000;
const TRIM_LENGTH: usize = 100;

/// The log, as far as this tab has it.
#[derive(Debug)]
pub(super) struct Conversation {
    /// Without gaps: `listed[i]` has the number `first + i`.
    listed: Vec<ListedEntry>,
    first: Seq,
    /// The highest number known to exist.
    head: Seq,
    /// Behind a gap, sorted by number.
    buffered: Vec<LogEntry>,
    /// The numbers of the listed messages that were deleted since the last call of `take_deleted`.
    deleted: Vec<Seq>,
    /// This browser's tag on the upload, by which its messages are recognised; `None` on the server.
    author: Option<AuthorTag>,
    max_listed: usize,
}

impl Conversation {
    /// Starts with the newest messages; `author` is this browser's tag.
    pub fn new(page: LogPage, author: Option<AuthorTag>) -> Self {
        let mut conversation = Self {
            listed: Vec::new(),
            first: page
                .entries
                .first()
                .map_or(Seq::new(1), |it| it.seq().max(Seq::new(1))),
            head: page.head,
            buffered: Vec::new(),
            deleted: Vec::new(),
            author,
            max_listed: MAX_LISTED,
        };
        for entry in page.entries {
            conversation.insert(entry);
        }
        conversation
    }

    /// The listed entries of the log, oldest first.
    pub fn listed(&self) -> &[ListedEntry] {
        &self.listed
    }

    /// The number of the last listed entry; 0 before the first one.
    pub fn cursor(&self) -> Seq {
        let count = u64::try_from(self.listed.len()).unwrap_or(u64::MAX);
        Seq::new((self.first.get() - 1).saturating_add(count))
    }

    /// The last listed entry, by which the server can tell whether it has the same history.
    pub fn last(&self) -> Cursor {
        Cursor {
            seq: self.cursor(),
            id: self.listed.last().map(|last| last.id),
        }
    }

    /// The number of the first listed entry.
    pub fn first(&self) -> Seq {
        self.first
    }

    /// The highest number known to exist.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Whether entries are known to exist after the last listed one.
    pub fn is_behind(&self) -> bool {
        self.cursor() < self.head
    }

    /// Whether there are entries before the first listed one.
    pub fn has_older(&self) -> bool {
        self.first > Seq::new(1)
    }

    /// Entries up to this number exist.
    pub fn raise_head(&mut self, head: Seq) {
        self.head = self.head.max(head);
    }

    /// Takes an entry, and returns those that are newly listed: none when it is known already, or when others are
    /// missing before it.
    pub fn insert(&mut self, entry: LogEntry) -> &[ListedEntry] {
        let before = self.listed.len();
        self.raise_head(entry.seq());
        if entry.seq() == self.cursor().next() {
            self.list(entry);
            self.list_buffered();
        } else if entry.seq() > self.cursor() {
            self.buffer(entry);
        }
        &self.listed[before..]
    }

    /// Puts older entries before the first one, if they end with that one.
    pub fn insert_older(&mut self, mut older: Vec<LogEntry>) {
        if older.pop_if(|last| last.seq() == self.first).is_none() {
            return;
        }
        let mut connected = Vec::new();
        for entry in older.into_iter().rev() {
            if entry.seq().next() == self.first && entry.seq() > Seq::ZERO {
                self.first = entry.seq();
                connected.push(self.to_list(entry));
            }
        }
        connected.reverse();
        self.max_listed = self.max_listed.saturating_add(connected.len());
        self.listed.splice(..0, connected);
        // The older ones may have been read before the deletions that are listed.
        let deletions: Vec<_> = self.listed.iter().filter_map(|it| it.deletes).collect();
        for seq in deletions {
            self.delete(seq);
        }
    }

    /// If this number leaves a gap behind the list, empties the list, which then begins there. Returns how many entries
    /// are skipped; they count as older ones.
    pub fn skip_to(&mut self, first: Seq) -> u64 {
        let next = self.cursor().next();
        if first <= next {
            return 0;
        }
        self.listed.clear();
        self.first = first;
        self.max_listed = MAX_LISTED;
        self.buffered.retain(|entry| entry.seq() > first);
        first.get() - next.get()
    }

    /// Removes the oldest entries when too many are listed.
    pub fn trim(&mut self) {
        if self.listed.len() > self.max_listed {
            self.listed.drain(..TRIM_LENGTH);
            self.first = Seq::new(self.first.get() + TRIM_LENGTH as u64);
        }
    }

    /// Whether another entry is listed under the number of one of these: the server has another history. A message that
    /// was lost and posted again may have its old number, but not its id.
    pub fn contradicts(&self, entries: &[LogEntry]) -> bool {
        entries.iter().any(|entry| {
            let index = self.index(entry.seq());
            let listed = index.and_then(|index| self.listed.get(index));
            listed.is_some_and(|listed| listed.id != entry.id())
        })
    }

    /// Whether for each deleted message of these older entries its deletion is one of them, or listed.
    pub fn has_deletions_of(&self, older: &[LogEntry]) -> bool {
        let deleted_by = |entry: &LogEntry| match entry {
            LogEntry::Deletion(deletion) => Some(deletion.deletes),
            LogEntry::Message(_) | LogEntry::DeletedMessage(_) => None,
        };
        let listed = self.listed.iter().filter_map(|it| it.deletes);
        let deleted: Vec<_> = older.iter().filter_map(deleted_by).chain(listed).collect();
        older.iter().all(|entry| {
            !matches!(entry, LogEntry::DeletedMessage(_)) || deleted.contains(&entry.seq())
        })
    }

    /// Drops what is behind a gap: it may be of another history than what will fill the gap, which brings it again.
    pub fn drop_buffered(&mut self) {
        self.buffered.clear();
    }

    /// Drops what is behind a gap if one of these entries has a number of it and is another one.
    pub fn drop_contradicted(&mut self, entries: &[LogEntry]) {
        let is_other = |buffered: &LogEntry, entry: &LogEntry| {
            buffered.seq() == entry.seq() && buffered.id() != entry.id()
        };
        let mut buffered = self.buffered.iter();
        if buffered.any(|it| entries.iter().any(|entry| is_other(it, entry))) {
            self.drop_buffered();
        }
    }

    /// Starts anew with these entries: the server has another history.
    pub fn restart(&mut self, page: LogPage) {
        *self = Self::new(page, self.author);
    }

    /// Returns the id of the message with this number, if it is listed.
    pub fn message_id(&self, seq: Seq) -> Option<MessageId> {
        let listed = self.index(seq).and_then(|index| self.listed.get(index))?;
        listed.message.is_some().then_some(listed.id)
    }

    /// Sets the delivery of all listed messages: this one for each of these numbers, and [`Delivery::Sent`] for the
    /// rest.
    pub fn set_deliveries(&mut self, deliveries: impl Iterator<Item = (Seq, Delivery)>) {
        for entry in self.listed.iter_mut().filter_map(|it| it.message.as_mut()) {
            entry.delivery = Delivery::Sent;
        }
        for (seq, delivery) in deliveries {
            let index = self.index(seq);
            let listed = index.and_then(|index| self.listed.get_mut(index));
            if let Some(entry) = listed.and_then(|listed| listed.message.as_mut()) {
                entry.delivery = delivery;
            }
        }
    }

    /// Returns the numbers of the messages that were deleted since the last call.
    pub fn take_deleted(&mut self) -> Vec<Seq> {
        std::mem::take(&mut self.deleted)
    }

    fn list(&mut self, entry: LogEntry) {
        let listed = self.to_list(entry);
        let deletes = listed.deletes;
        self.listed.push(listed);
        if let Some(seq) = deletes {
            self.delete(seq);
        }
    }

    /// Removes what a deletion deletes, if that is listed.
    fn delete(&mut self, seq: Seq) {
        let index = self.index(seq);
        let listed = index.and_then(|index| self.listed.get_mut(index));
        if listed.and_then(|listed| listed.message.take()).is_some() {
            self.deleted.push(seq);
        }
    }

    /// The index in the list for a number.
    fn index(&self, seq: Seq) -> Option<usize> {
        let index = seq.get().checked_sub(self.first.get())?;
        usize::try_from(index).ok()
    }

    fn list_buffered(&mut self) {
        while let Some(first) = self.buffered.first()
            && first.seq() == self.cursor().next()
        {
            let next = self.buffered.remove(0);
            self.list(next);
        }
    }

    fn buffer(&mut self, entry: LogEntry) {
        if let Err(index) = self
            .buffered
            .binary_search_by_key(&entry.seq(), LogEntry::seq)
        {
            self.buffered.insert(index, entry);
            self.buffered.truncate(MAX_BUFFERED);
        }
    }

    fn to_list(&self, entry: LogEntry) -> ListedEntry {
        ListedEntry {
            id: entry.id(),
            deletes: match &entry {
                LogEntry::Deletion(deletion) => Some(deletion.deletes),
                LogEntry::Message(_) | LogEntry::DeletedMessage(_) => None,
            },
            message: match entry {
                LogEntry::Message(message) => Some(self.entry(message)),
                LogEntry::DeletedMessage(_) | LogEntry::Deletion(_) => None,
            },
        }
    }

    fn entry(&self, message: Message) -> ListedMessage {
        ListedMessage {
            mine: message.author.is_some() && message.author == self.author,
            key: message.client_message_id,
            seq: message.seq,
            author_name: message.author_name,
            content: message.content,
            created_at: message.created_at,
            author: message.author,
            at: message.at,
            pin: message.pin,
            delivery: Delivery::Sent,
        }
    }
}

#[cfg(test)]
mod tests;
