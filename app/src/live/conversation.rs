//! The order of a conversation: what is listed is always dense, and what comes after a hole waits.

use super::{Delivery, Entry};
use crate::model::{ClientMessageId, Message, MessagePage, Seq};

/// How many messages may wait behind a hole. When there is no room, the farthest are dropped: the fetch that fills
/// the hole brings them.
const MAX_WAITING: usize = 200;
/// How many messages stay listed in a tab that is never reloaded, besides those that were loaded by hand. Beyond
/// it the oldest go, some at a time; they can be loaded again.
const MAX_LISTED: usize = 2_000;
const TRIMMED_AT_ONCE: usize = 100;
/// How many of one's own messages are known as such; of more, the oldest are forgotten.
const MAX_OWN: usize = 300;

/// The stored part of a conversation, as far as this tab has it.
#[derive(Debug)]
pub(super) struct Conversation {
    /// Without holes: `listed[i]` has the number `first + i`.
    listed: Vec<Entry>,
    first: Seq,
    /// The highest number known to exist.
    head: Seq,
    /// Behind a hole, sorted by number.
    waiting: Vec<Message>,
    /// The names of this tab's messages, oldest first.
    own: Vec<ClientMessageId>,
    max_listed: usize,
}

impl Conversation {
    /// Starts with the newest messages.
    pub fn new(page: MessagePage) -> Self {
        let mut conversation = Self {
            listed: Vec::new(),
            first: page
                .messages
                .first()
                .map_or(Seq::new(1), |it| it.seq.max(Seq::new(1))),
            head: page.head,
            waiting: Vec::new(),
            own: Vec::new(),
            max_listed: MAX_LISTED,
        };
        for message in page.messages {
            conversation.offer(message);
        }
        conversation
    }

    /// What is listed, oldest first.
    pub fn listed(&self) -> &[Entry] {
        &self.listed
    }

    /// The last number up to which nothing is missing; 0 before the first message.
    pub fn cursor(&self) -> Seq {
        let count = u64::try_from(self.listed.len()).unwrap_or(u64::MAX);
        Seq::new((self.first.get() - 1).saturating_add(count))
    }

    /// The first listed number.
    pub fn first(&self) -> Seq {
        self.first
    }

    /// Whether messages are known to exist that cannot be listed yet.
    pub fn is_behind(&self) -> bool {
        self.cursor() < self.head
    }

    /// Whether there are messages before the first listed one.
    pub fn has_older(&self) -> bool {
        self.first > Seq::new(1)
    }

    /// Learns that messages up to this number exist.
    pub fn learn_head(&mut self, head: Seq) {
        self.head = self.head.max(head);
    }

    /// Takes a message from wherever it came, and answers with what could be listed thereby: nothing when it is
    /// there already or when others are missing before it.
    pub fn offer(&mut self, message: Message) -> &[Entry] {
        let before = self.listed.len();
        self.learn_head(message.seq);
        if message.seq == self.cursor().next() {
            self.list(message);
            self.list_waiting();
        } else if message.seq > self.cursor() {
            self.wait(message);
        }
        &self.listed[before..]
    }

    /// Puts older messages before the first; those that do not connect to it are left out.
    pub fn offer_older(&mut self, older: Vec<Message>) {
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

    /// Drops the oldest when too many are listed.
    pub fn trim(&mut self) {
        if self.listed.len() > self.max_listed {
            self.listed.drain(..TRIMMED_AT_ONCE);
            self.first = Seq::new(self.first.get() + TRIMMED_AT_ONCE as u64);
        }
    }

    /// Knows the message of this name as this tab's own from now on.
    pub fn know_own(&mut self, key: ClientMessageId) {
        for entry in &mut self.listed {
            entry.mine = entry.mine || entry.key == key;
        }
        if self.own.len() == MAX_OWN {
            self.own.remove(0);
        }
        self.own.push(key);
    }

    /// The names of this tab's messages, oldest first.
    pub fn own(&self) -> &[ClientMessageId] {
        &self.own
    }

    fn list(&mut self, message: Message) {
        let entry = self.entry(message);
        self.listed.push(entry);
    }

    fn list_waiting(&mut self) {
        let is_next = |next: &Message, cursor: Seq| next.seq == cursor.next();
        while self
            .waiting
            .first()
            .is_some_and(|it| is_next(it, self.cursor()))
        {
            let next = self.waiting.remove(0);
            self.list(next);
        }
    }

    fn wait(&mut self, message: Message) {
        if let Err(place) = self
            .waiting
            .binary_search_by_key(&message.seq, |waiting| waiting.seq)
        {
            self.waiting.insert(place, message);
            self.waiting.truncate(MAX_WAITING);
        }
    }

    fn entry(&self, message: Message) -> Entry {
        Entry {
            mine: self.own.contains(&message.client_message_id),
            key: message.client_message_id,
            author_name: message.author_name,
            content: message.content,
            created_at: message.created_at,
            delivery: Delivery::Sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{message, page};
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
        let mut conversation = Conversation::new(page(1..=2, 2));
        assert_eq!(conversation.offer(message(3)).len(), 1);
        assert_eq!(numbers(&conversation), [1, 2, 3]);
        assert!(!conversation.is_behind());
    }

    #[test]
    fn a_known_message_is_dropped() {
        let mut conversation = Conversation::new(page(3..=5, 5));
        for seq in [1, 3, 5] {
            assert!(conversation.offer(message(seq)).is_empty());
        }
        assert_eq!(numbers(&conversation), [3, 4, 5]);
    }

    #[test]
    fn messages_behind_a_hole_wait_until_it_is_filled() {
        let mut conversation = Conversation::new(page(1..=1, 1));
        for seq in [5, 3, 5] {
            assert!(conversation.offer(message(seq)).is_empty());
        }
        assert!(conversation.is_behind());
        assert_eq!(numbers(&conversation), [1]);
        assert_eq!(conversation.offer(message(2)).len(), 2);
        assert_eq!(conversation.offer(message(4)).len(), 2);
        assert_eq!(numbers(&conversation), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn the_wait_is_bounded_and_keeps_the_nearest() {
        let mut conversation = Conversation::new(page(1..=1, 1));
        for seq in (3..1_000).rev() {
            conversation.offer(message(seq));
        }
        assert_eq!(conversation.waiting.len(), MAX_WAITING);
        conversation.offer(message(2));
        assert_eq!(conversation.cursor(), Seq::new(2 + MAX_WAITING as u64));
        assert!(
            conversation.is_behind(),
            "the dropped ones are still known to exist"
        );
    }

    #[test]
    fn an_empty_conversation_starts_at_one() {
        let mut conversation = Conversation::new(MessagePage::default());
        assert_eq!(conversation.cursor(), Seq::ZERO);
        assert!(!conversation.has_older());
        conversation.offer(message(1));
        assert_eq!(numbers(&conversation), [1]);
    }

    #[test]
    fn older_messages_go_before_the_first() {
        let mut conversation = Conversation::new(page(101..=150, 150));
        assert!(conversation.has_older());
        conversation.offer_older(page(51..=100, 150).messages);
        assert_eq!(conversation.first(), Seq::new(51));
        conversation.offer_older(page(1..=50, 150).messages);
        assert_eq!(numbers(&conversation), (1..=150).collect::<Vec<_>>());
        assert!(!conversation.has_older());
    }

    #[test]
    fn older_messages_that_do_not_connect_are_left_out() {
        let mut conversation = Conversation::new(page(101..=110, 110));
        conversation.offer_older(page(40..=60, 110).messages);
        conversation.offer_older(page(95..=105, 110).messages);
        assert_eq!(numbers(&conversation), (95..=110).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_that_lags_behind_its_head_is_behind() {
        assert!(Conversation::new(page(1..=3, 4)).is_behind());
    }

    #[test]
    fn a_tab_that_lives_long_drops_the_oldest() {
        let mut conversation = Conversation::new(page(1..=1, 1));
        for seq in 2..=5_000 {
            conversation.offer(message(seq));
            conversation.trim();
        }
        let listed = numbers(&conversation);
        assert!(listed.len() <= MAX_LISTED, "{}", listed.len());
        assert_eq!(listed.last(), Some(&5_000));
        assert!(conversation.has_older());
    }

    #[test]
    fn what_was_loaded_by_hand_is_not_dropped() {
        let mut conversation = Conversation::new(page(3_001..=5_000, 5_000));
        conversation.offer_older(page(2_001..=3_000, 5_000).messages);
        conversation.trim();
        assert_eq!(conversation.first(), Seq::new(2_001));
    }

    #[test]
    fn ones_own_messages_are_known_even_when_told_late() {
        let mut conversation = Conversation::new(page(1..=2, 2));
        conversation.know_own(message(2).client_message_id);
        conversation.know_own(message(3).client_message_id);
        conversation.offer(message(3));
        let mine: Vec<bool> = conversation.listed().iter().map(|it| it.mine).collect();
        assert_eq!(mine, [false, true, true]);
    }
}
