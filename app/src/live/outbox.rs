//! One's own messages on their way: posted one at a time, in the order in which they were written. One that fails is
//! passed over, and tried again when the server is there again or its writer says so.

use super::{Delivery, Entry};
use crate::model::{ClientMessageId, MessageText, NewMessage};

/// How many messages may be unsent, failed ones too. Of more, none is taken: the composer keeps its text.
const MAX_UNSENT: usize = 50;

/// The messages that are not listed with the stored ones yet.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: Vec<Entry>,
    /// The post that is not answered yet.
    in_flight: Option<ClientMessageId>,
}

impl Outbox {
    /// What is unsent, in the order of writing.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes a new message, unless too many are unsent.
    pub fn push(&mut self, entry: Entry) -> bool {
        let taken = self.entries.len() < MAX_UNSENT;
        if taken {
            self.entries.push(entry);
        }
        taken
    }

    /// The next message to post, when no other is being posted.
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
        })
    }

    /// The post was answered. `Delivery::Sent` stays here until the message is listed with the stored ones.
    pub fn answered(&mut self, key: &ClientMessageId, delivery: Delivery) {
        if self.in_flight.as_ref() == Some(key) {
            self.in_flight = None;
        }
        if let Some(entry) = self.find(key) {
            entry.delivery = delivery;
        }
    }

    /// The message is listed with the stored ones now, whatever became of its post.
    pub fn settle(&mut self, key: &ClientMessageId) {
        self.entries.retain(|it| it.key != *key);
    }

    /// Puts a failed message, which a retry can help, back in its place in the queue.
    pub fn retry(&mut self, key: &ClientMessageId) {
        if let Some(entry) = self.find(key)
            && matches!(entry.delivery, Delivery::Failed { retry: true, .. })
        {
            entry.delivery = Delivery::Sending;
        }
    }

    /// Puts all failed messages back that a retry can help, as when the server is there again.
    pub fn retry_all(&mut self) {
        for entry in &mut self.entries {
            if matches!(entry.delivery, Delivery::Failed { retry: true, .. }) {
                entry.delivery = Delivery::Sending;
            }
        }
    }

    /// Takes a message out that was refused for good. One that may have been stored after all stays.
    pub fn withdraw(&mut self, key: &ClientMessageId) -> Option<MessageText> {
        let refused = |it: &Entry| {
            it.key == *key && matches!(it.delivery, Delivery::Failed { retry: false, .. })
        };
        let place = self.entries.iter().position(refused)?;
        Some(self.entries.remove(place).content)
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
        outbox.answered(&key("a"), Delivery::Sent);
        assert_eq!(next(&mut outbox), Some("b".into()));
    }

    #[test]
    fn a_failed_message_does_not_block_later_ones() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.next();
        outbox.answered(&key("a"), failed(true));
        assert_eq!(next(&mut outbox), Some("b".into()));
    }

    #[test]
    fn a_retry_posts_the_same_name_again() {
        let mut outbox = outbox(&["a"]);
        outbox.next();
        outbox.answered(&key("a"), failed(true));
        assert_eq!(next(&mut outbox), None);
        outbox.retry(&key("a"));
        assert_eq!(next(&mut outbox), Some("a".into()));
    }

    #[test]
    fn a_message_that_was_refused_for_good_is_not_retried_but_can_be_withdrawn() {
        let mut outbox = outbox(&["a"]);
        assert_eq!(outbox.withdraw(&key("a")), None, "it is on its way");
        outbox.next();
        outbox.answered(&key("a"), failed(false));
        outbox.retry(&key("a"));
        assert_eq!(next(&mut outbox), None);
        assert_eq!(outbox.withdraw(&key("a")).unwrap().as_str(), "text of a");
        assert!(outbox.entries().is_empty());
    }

    #[test]
    fn a_message_that_shows_up_before_its_answer_still_holds_the_place_of_its_post() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.next();
        outbox.settle(&key("a"));
        assert_eq!(next(&mut outbox), None);
        outbox.answered(&key("a"), failed(true));
        assert_eq!(
            outbox.entries().len(),
            1,
            "a is stored, its late failure means nothing"
        );
        assert_eq!(next(&mut outbox), Some("b".into()));
    }

    #[test]
    fn only_so_many_may_be_unsent() {
        let mut outbox = Outbox::default();
        for i in 0..MAX_UNSENT {
            assert!(outbox.push(unsent(&format!("m{i}"))));
        }
        assert!(!outbox.push(unsent("more")));
        outbox.settle(&key("m0"));
        assert!(outbox.push(unsent("more")));
    }
}
