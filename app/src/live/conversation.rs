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
mod tests {
    use super::super::tests::fixture::{message, own_tag, page};
    use super::*;

    fn numbers(conversation: &Conversation) -> Vec<u64> {
        let first = conversation.first.get();
        let texts = conversation
            .listed
            .iter()
            .map(|entry| entry.content.as_str());
        texts
            .enumerate()
            .map(|(i, text)| {
                let seq = first + i as u64;
                assert_eq!(text, format!("text {seq}"));
                seq
            })
            .collect()
    }

    #[test]
    fn the_next_message_is_listed_at_once() {
        let mut conversation = Conversation::new(page(1..=2, 2), None);
        assert_eq!(conversation.insert(message(3)).len(), 1);
        assert_eq!(numbers(&conversation), [1, 2, 3]);
        assert!(!conversation.is_behind());
    }

    #[test]
    fn a_known_message_is_ignored() {
        let mut conversation = Conversation::new(page(3..=5, 5), None);
        for seq in [1, 3, 5] {
            assert!(conversation.insert(message(seq)).is_empty());
        }
        assert_eq!(numbers(&conversation), [3, 4, 5]);
    }

    #[test]
    fn messages_behind_a_gap_are_buffered_until_it_is_filled() {
        let mut conversation = Conversation::new(page(1..=1, 1), None);
        for seq in [5, 3, 5] {
            assert!(conversation.insert(message(seq)).is_empty());
        }
        assert!(conversation.is_behind());
        assert_eq!(numbers(&conversation), [1]);
        assert_eq!(conversation.insert(message(2)).len(), 2);
        assert_eq!(conversation.insert(message(4)).len(), 2);
        assert_eq!(numbers(&conversation), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn the_buffer_is_bounded_and_keeps_the_next_ones() {
        let mut conversation = Conversation::new(page(1..=1, 1), None);
        for seq in (3..1_000).rev() {
            conversation.insert(message(seq));
        }
        assert_eq!(conversation.buffered.len(), MAX_BUFFERED);
        conversation.insert(message(2));
        assert_eq!(conversation.cursor(), Seq::new(2 + MAX_BUFFERED as u64));
        assert!(
            conversation.is_behind(),
            "those that were dropped are known to exist"
        );
    }

    #[test]
    fn an_empty_conversation_starts_at_one() {
        let mut conversation = Conversation::new(MessagePage::default(), None);
        assert_eq!(conversation.cursor(), Seq::ZERO);
        assert!(!conversation.has_older());
        conversation.insert(message(1));
        assert_eq!(numbers(&conversation), [1]);
    }

    #[test]
    fn older_messages_go_before_the_first() {
        let mut conversation = Conversation::new(page(101..=150, 150), None);
        assert!(conversation.has_older());
        conversation.insert_older(page(51..=101, 150).messages);
        assert_eq!(conversation.first(), Seq::new(51));
        conversation.insert_older(page(1..=51, 150).messages);
        assert_eq!(numbers(&conversation), (1..=150).collect::<Vec<_>>());
        assert!(!conversation.has_older());
    }

    #[test]
    fn older_messages_that_do_not_connect_are_left_out() {
        let mut conversation = Conversation::new(page(101..=110, 110), None);
        for seqs in [40..=60, 91..=100, 95..=105] {
            conversation.insert_older(page(seqs, 110).messages);
        }
        assert_eq!(numbers(&conversation), (101..=110).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_that_ends_before_its_head_is_behind() {
        assert!(Conversation::new(page(1..=3, 4), None).is_behind());
    }

    #[test]
    fn beyond_the_limit_the_oldest_messages_are_removed() {
        let mut conversation = Conversation::new(page(1..=1, 1), None);
        for seq in 2..=5_000 {
            conversation.insert(message(seq));
            conversation.trim();
        }
        let listed = numbers(&conversation);
        assert!(listed.len() <= MAX_LISTED, "{}", listed.len());
        assert_eq!(listed.last(), Some(&5_000));
        assert!(conversation.has_older());
    }

    #[test]
    fn messages_that_the_reader_loaded_are_not_removed() {
        let mut conversation = Conversation::new(page(3_001..=5_000, 5_000), None);
        conversation.insert_older(page(2_001..=3_001, 5_000).messages);
        conversation.trim();
        assert_eq!(conversation.first(), Seq::new(2_001));
    }

    #[test]
    fn messages_with_this_browsers_tag_are_its_own() {
        let mut conversation = Conversation::new(page(1..=1, 1), Some(own_tag()));
        let namesake = Message {
            author: Some("aaaaaaaaaa".parse().unwrap()),
            ..message(2)
        };
        conversation.insert(namesake);
        conversation.insert(Message {
            author: Some(own_tag()),
            ..message(3)
        });
        let mine: Vec<bool> = conversation.listed().iter().map(|it| it.mine).collect();
        assert_eq!(mine, [false, false, true]);
    }

    #[test]
    fn the_last_message_is_known_by_its_id() {
        let mut conversation = Conversation::new(MessagePage::default(), None);
        assert_eq!(conversation.last(), Cursor::default());
        let last = |seq| Cursor {
            seq: Seq::new(seq),
            id: Some(message(seq).id),
        };
        conversation.insert(message(1));
        assert_eq!(conversation.last(), last(1));
        conversation.insert(message(3));
        assert_eq!(conversation.last(), last(1), "it is behind a gap");
        conversation.insert(message(2));
        assert_eq!(conversation.last(), last(3));
        conversation.skip_to(Seq::new(9));
        assert_eq!(conversation.last(), Cursor::from(Seq::new(8)));
        conversation.insert(message(9));
        assert_eq!(conversation.last(), last(9));
    }

    #[test]
    fn skipping_goes_on_with_the_newest_messages_and_leaves_no_gap() {
        let mut conversation = Conversation::new(page(1..=10, 10), None);
        // Buffered before the skip: one that is skipped, one that comes again, and the one after it.
        for seq in [500, 951, 952] {
            conversation.insert(message(seq));
        }
        assert_eq!(conversation.skip_to(Seq::new(951)), 940);
        assert_eq!(conversation.insert(message(951)).len(), 2);
        assert_eq!(numbers(&conversation), [951, 952]);
        assert!(!conversation.is_behind());
        assert!(conversation.has_older());
        conversation.insert_older(page(901..=951, 952).messages);
        assert_eq!(conversation.first(), Seq::new(901));
    }

    #[test]
    fn what_connects_is_not_skipped() {
        let mut conversation = Conversation::new(page(1..=10, 10), None);
        assert_eq!(conversation.skip_to(Seq::new(11)), 0);
        assert_eq!(conversation.skip_to(Seq::new(5)), 0);
        assert_eq!(conversation.listed().len(), 10);
    }
}
