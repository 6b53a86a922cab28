//! The tab's own messages that are not stored yet: posted one at a time, in the order in which they were written. A
//! failed one does not block the others; it is posted again when the connection is back, or when the writer says so.

use super::view::{Delivery, Entry};
use crate::model::{ClientMessageId, NewMessage, Seq};

/// How many messages may be unsent, failed ones included. Beyond it none is accepted: the composer keeps its text.
const MAX_UNSENT: usize = 50;

/// The messages that are not listed with the stored ones yet.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: Vec<Entry>,
    /// The message whose post is not answered yet.
    in_flight: Option<ClientMessageId>,
    /// The answer to that post may be about an earlier history.
    is_outdated: bool,
}

impl Outbox {
    /// The unsent messages, in the order of writing.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds a new message; false when too many are unsent.
    pub fn push(&mut self, entry: Entry) -> bool {
        let accepted = self.entries.len() < MAX_UNSENT;
        if accepted {
            self.entries.push(entry);
        }
        accepted
    }

    /// The next message to post, unless another post is under way.
    pub fn next(&mut self) -> Option<NewMessage> {
        if self.in_flight.is_some() {
            return None;
        }
        let next = self
            .entries
            .iter()
            .find(|it| it.delivery == Delivery::Sending)?;
        self.in_flight = Some(next.key.clone());
        Some(NewMessage {
            author_name: next.author_name.clone(),
            content: next.content.clone(),
            client_message_id: next.key.clone(),
            at: next.at,
            author: next.author,
        })
    }

    /// The post was answered.
    pub fn on_answer(&mut self, key: &ClientMessageId, delivery: Delivery) {
        if self.in_flight.as_ref() == Some(key) {
            self.in_flight = None;
        }
        if let Some(entry) = self.find(key) {
            entry.delivery = delivery;
        }
    }

    /// The server has another history, in which no message is known to be stored: all are posted again, under the same
    /// ids.
    pub fn restart(&mut self) {
        self.is_outdated = self.in_flight.is_some();
        for entry in &mut self.entries {
            if entry.delivery == Delivery::Sent {
                entry.seq = Seq::ZERO;
                entry.delivery = Delivery::Sending;
            }
        }
    }

    /// Ends the post under way if its answer may be about an earlier history, so that it is repeated.
    pub fn take_outdated(&mut self, key: &ClientMessageId) -> bool {
        let is_outdated = self.is_outdated && self.in_flight.as_ref() == Some(key);
        if is_outdated {
            self.is_outdated = false;
            self.in_flight = None;
        }
        is_outdated
    }

    /// Removes a message that is listed with the stored ones now, whatever became of its post.
    pub fn remove(&mut self, key: &ClientMessageId) {
        self.entries.retain(|it| it.key != *key);
    }

    /// The message is stored under this number. It stays here until it is listed with the stored ones.
    pub fn on_stored(&mut self, key: &ClientMessageId, seq: Seq) {
        self.on_answer(key, Delivery::Sent);
        if let Some(entry) = self.find(key) {
            entry.seq = seq;
        }
    }

    /// Removes the messages that are stored before this number.
    pub fn remove_stored_before(&mut self, seq: Seq) {
        self.entries
            .retain(|it| it.delivery != Delivery::Sent || it.seq >= seq);
    }

    /// The list has reached this number. Where it shows another message than one that was stored there, that one was lost
    /// in a restore: it is posted again.
    pub fn repeat_lost(&mut self, cursor: Seq) {
        for entry in &mut self.entries {
            if entry.delivery == Delivery::Sent && entry.seq <= cursor {
                entry.seq = Seq::ZERO;
                entry.delivery = Delivery::Sending;
            }
        }
    }

    /// Queues a failed message again, if a retry can help.
    pub fn retry(&mut self, key: &ClientMessageId) {
        if let Some(entry) = self.find(key)
            && matches!(entry.delivery, Delivery::Failed { retry: true, .. })
        {
            entry.delivery = Delivery::Sending;
        }
    }

    /// Queues all failed messages again that a retry can help, as when the connection is back.
    pub fn retry_all(&mut self) {
        for entry in &mut self.entries {
            if matches!(entry.delivery, Delivery::Failed { retry: true, .. }) {
                entry.delivery = Delivery::Sending;
            }
        }
    }

    /// Removes a message that was refused permanently, and returns it. One that may be stored after all stays.
    pub fn withdraw(&mut self, key: &ClientMessageId) -> Option<Entry> {
        let refused = |it: &Entry| {
            it.key == *key && matches!(it.delivery, Delivery::Failed { retry: false, .. })
        };
        let index = self.entries.iter().position(refused)?;
        Some(self.entries.remove(index))
    }

    fn find(&mut self, key: &ClientMessageId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|it| it.key == *key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{key, unsent};
    use super::*;

    fn failed(retry: bool) -> Delivery {
        Delivery::Failed {
            reason: "No.".into(),
            retry,
        }
    }

    fn outbox(names: &[&str]) -> Outbox {
        let mut outbox = Outbox::default();
        for name in names {
            assert!(outbox.push(unsent(name)));
        }
        outbox
    }

    fn next(outbox: &mut Outbox) -> Option<String> {
        outbox.next().map(|it| it.client_message_id.to_string())
    }

    #[test]
    fn messages_are_posted_one_at_a_time_in_order() {
        let mut outbox = outbox(&["a", "b"]);
        assert_eq!(next(&mut outbox), Some("a".into()));
        assert_eq!(next(&mut outbox), None);
        outbox.on_answer(&key("a"), Delivery::Sent);
        assert_eq!(next(&mut outbox), Some("b".into()));
    }

    #[test]
    fn a_failed_message_does_not_block_later_ones() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.next();
        outbox.on_answer(&key("a"), failed(true));
        assert_eq!(next(&mut outbox), Some("b".into()));
    }

    #[test]
    fn a_retry_posts_the_same_id_again() {
        let mut outbox = outbox(&["a"]);
        outbox.next();
        outbox.on_answer(&key("a"), failed(true));
        assert_eq!(next(&mut outbox), None);
        outbox.retry(&key("a"));
        assert_eq!(next(&mut outbox), Some("a".into()));
    }

    #[test]
    fn a_message_that_was_refused_permanently_is_not_retried_but_can_be_withdrawn() {
        let mut outbox = outbox(&["a"]);
        assert_eq!(outbox.withdraw(&key("a")), None, "its post is under way");
        outbox.next();
        outbox.on_answer(&key("a"), failed(false));
        outbox.retry(&key("a"));
        assert_eq!(next(&mut outbox), None);
        assert_eq!(
            outbox.withdraw(&key("a")).unwrap().content.as_str(),
            "text of a"
        );
        assert!(outbox.entries().is_empty());
    }

    #[test]
    fn a_message_that_is_listed_before_its_answer_still_blocks_the_next_post() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.next();
        outbox.remove(&key("a"));
        assert_eq!(next(&mut outbox), None);
        outbox.on_answer(&key("a"), failed(true));
        assert_eq!(
            outbox.entries().len(),
            1,
            "a is stored, its late failure is ignored"
        );
        assert_eq!(next(&mut outbox), Some("b".into()));
    }

    #[test]
    fn the_number_of_unsent_messages_is_bounded() {
        let mut outbox = Outbox::default();
        for i in 0..MAX_UNSENT {
            assert!(outbox.push(unsent(&format!("m{i}"))));
        }
        assert!(!outbox.push(unsent("more")));
        outbox.remove(&key("m0"));
        assert!(outbox.push(unsent("more")));
    }
}
