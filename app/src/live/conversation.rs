//! The stored messages of a conversation in their order: the list has no gaps, and messages behind a gap are buffered.

use super::view::{Delivery, Entry};
use crate::model::{AuthorTag, Cursor, Message, MessageId, MessagePage, Seq};

/// How many messages behind a gap are buffered. When there are more, the last ones are dropped: the request that fills
/// the gap brings them.
const MAX_BUFFERED: usize = 200;
/// How many messages stay listed, besides those that the reader has loaded. When there are more, the oldest are removed,
/// some at a time; they can be loaded again.
const MAX_LISTED: usize = 2_000;
const TRIM_LENGTH: usize = 100;

/// The stored messages, as far as this tab has them.
#[derive(Debug)]
pub(super) struct Conversation {
    /// Without gaps: `listed[i]` has the number `first + i`.
    listed: Vec<Entry>,
    first: Seq,
    /// The highest number known to exist.
    head: Seq,
    /// Behind a gap, sorted by number.
    buffered: Vec<Message>,
    /// The id of the last listed message.
    last_id: Option<MessageId>,
    /// This browser's tag on the upload, by which its messages are recognised; `None` on the server.
    author: Option<AuthorTag>,
    max_listed: usize,
}

impl Conversation {
    /// Starts with the newest messages; `author` is this browser's tag.
    pub fn new(page: MessagePage, author: Option<AuthorTag>) -> Self {
        let mut conversation = Self {
            listed: Vec::new(),
            first: page
                .messages
                .first()
                .map_or(Seq::new(1), |it| it.seq.max(Seq::new(1))),
            head: page.head,
            buffered: Vec::new(),
            last_id: None,
            author,
            max_listed: MAX_LISTED,
        };
        for message in page.messages {
            conversation.insert(message);
        }
        conversation
    }

    /// The listed messages, oldest first.
    pub fn listed(&self) -> &[Entry] {
        &self.listed
    }

    /// The number of the last listed message; 0 before the first message.
    pub fn cursor(&self) -> Seq {
        let count = u64::try_from(self.listed.len()).unwrap_or(u64::MAX);
        Seq::new((self.first.get() - 1).saturating_add(count))
    }

    /// The last listed message, by which the server can tell whether it has the same history.
    pub fn last(&self) -> Cursor {
        Cursor {
            seq: self.cursor(),
            id: self.last_id,
        }
    }

    /// The number of the first listed message.
    pub fn first(&self) -> Seq {
        self.first
    }

    /// The highest number known to exist.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Whether messages are known to exist after the last listed one.
    pub fn is_behind(&self) -> bool {
        self.cursor() < self.head
    }

    /// Whether there are messages before the first listed one.
    pub fn has_older(&self) -> bool {
        self.first > Seq::new(1)
    }

    /// Messages up to this number exist.
    pub fn raise_head(&mut self, head: Seq) {
        self.head = self.head.max(head);
    }

    /// Takes a message, and returns those that are newly listed: none when it is known already, or when others are
    /// missing before it.
    pub fn insert(&mut self, message: Message) -> &[Entry] {
        let before = self.listed.len();
        self.raise_head(message.seq);
        if message.seq == self.cursor().next() {
            self.list(message);
            self.list_buffered();
        } else if message.seq > self.cursor() {
            self.buffer(message);
        }
        &self.listed[before..]
    }

    /// Puts older messages before the first one, if they end with that one.
    pub fn insert_older(&mut self, mut older: Vec<Message>) {
        if older.pop_if(|last| last.seq == self.first).is_none() {
            return;
        }
        let mut connected = Vec::new();
        for message in older.into_iter().rev() {
            if message.seq.next() == self.first && message.seq > Seq::ZERO {
                self.first = message.seq;
                connected.push(self.entry(message));
            }
        }
        connected.reverse();
        self.max_listed = self.max_listed.saturating_add(connected.len());
        self.listed.splice(..0, connected);
    }

    /// Empties the list so that it goes on with this number, when that does not connect to it. Returns how many messages
    /// are skipped; they count as older ones.
    pub fn skip_to(&mut self, first: Seq) -> u64 {
        let next = self.cursor().next();
        if first <= next {
            return 0;
        }
        self.listed.clear();
        self.last_id = None;
        self.first = first;
        self.max_listed = MAX_LISTED;
        self.buffered.retain(|message| message.seq > first);
        first.get() - next.get()
    }

    /// Removes the oldest messages when too many are listed.
    pub fn trim(&mut self) {
        if self.listed.len() > self.max_listed {
            self.listed.drain(..TRIM_LENGTH);
            self.first = Seq::new(self.first.get() + TRIM_LENGTH as u64);
        }
    }

    /// Whether another message is listed under the number of one of these: the server has another history. One that was
    /// lost and posted again may have its old number, but not its time.
    pub fn contradicts(&self, messages: &[Message]) -> bool {
        messages.iter().any(|message| {
            let index = message.seq.get().checked_sub(self.first.get());
            let index = index.and_then(|index| usize::try_from(index).ok());
            let listed = index.and_then(|index| self.listed.get(index));
            listed.is_some_and(|listed| {
                listed.key != message.client_message_id || listed.created_at != message.created_at
            })
        })
    }

    /// Drops what is behind a gap: it may be of another history than what will fill the gap, which brings it again.
    pub fn drop_buffered(&mut self) {
        self.buffered.clear();
    }

    /// Drops what is behind a gap if one of these messages has a number of it and is another one.
    pub fn drop_contradicted(&mut self, messages: &[Message]) {
        let is_other = |buffered: &Message, message: &Message| {
            buffered.seq == message.seq && buffered.id != message.id
        };
        let mut buffered = self.buffered.iter();
        if buffered.any(|it| messages.iter().any(|message| is_other(it, message))) {
            self.drop_buffered();
        }
    }

    /// Starts anew with these messages: the server has another history.
    pub fn restart(&mut self, page: MessagePage) {
        *self = Self::new(page, self.author);
    }

    fn list(&mut self, message: Message) {
        self.last_id = Some(message.id);
        let entry = self.entry(message);
        self.listed.push(entry);
    }

    fn list_buffered(&mut self) {
        while let Some(first) = self.buffered.first()
            && first.seq == self.cursor().next()
        {
            let next = self.buffered.remove(0);
            self.list(next);
        }
    }

    fn buffer(&mut self, message: Message) {
        if let Err(index) = self
            .buffered
            .binary_search_by_key(&message.seq, |buffered| buffered.seq)
        {
            self.buffered.insert(index, message);
            self.buffered.truncate(MAX_BUFFERED);
        }
    }

    fn entry(&self, message: Message) -> Entry {
        Entry {
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
