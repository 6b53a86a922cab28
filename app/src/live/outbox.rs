//! The tab's own messages that are not stored yet: posted one at a time, in the order in which they were written. After
//! a failure that may pass, all of them wait and are posted again: after a while, when the connection is back, or when
//! the writer says so.

use super::effect::{Effect, Now, Timer};
use super::failure::{ApiFailure, waiting_for_connection};
use super::view::{Delivery, ListedMessage};
use crate::model::{ClientMessageId, NewMessage, Seq};

/// How many messages may be unsent, failed ones included. Beyond it none is accepted: the composer keeps its text. With
/// the longest texts they are 400 kB of session storage, of which browsers allow a few megabytes.
const MAX_UNSENT: usize = 50;
/// How often in a row posts are repeated that the server refuses for now. Without an answer they are repeated for as
/// long as the page is open, at most ten seconds apart, as the connection is.
const MAX_REFUSALS: u32 = 8;
/// The longest time that the server may ask for, in seconds. When it asks for more, trying ends.
const MAX_RETRY_AFTER: u32 = 60;
/// The shortest delay before a post is repeated, in milliseconds.
const MIN_DELAY_MILLIS: u32 = 1_000;
/// How long messages of the last document wait at most for a connection that shows which of them are stored, in
/// milliseconds.
const RESTORED_DELAY_MILLIS: u32 = 5_000;

/// The messages that are not listed with the stored ones yet.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: Vec<ListedMessage>,
    /// The message whose post is not answered yet.
    in_flight: Option<ClientMessageId>,
    /// The answer to that post may be about an earlier history.
    is_outdated: bool,
    /// Posts that failed in a row, and how many of them the server refused for now.
    failures: u32,
    refusals: u32,
    /// What is said of new messages until `Timer::Post` expires; nothing is posted before that.
    pause: Option<String>,
}

impl Outbox {
    /// The unsent messages, in the order of writing.
    pub fn entries(&self) -> &[ListedMessage] {
        &self.entries
    }

    /// Adds a new message; false when too many are unsent.
    pub fn push(&mut self, mut entry: ListedMessage) -> bool {
        let accepted = self.entries.len() < MAX_UNSENT;
        if accepted {
            if let Some(note) = self.pause.clone() {
                entry.delivery = Delivery::Waiting { note };
            }
            self.entries.push(entry);
        }
        accepted
    }

    /// Takes messages of the tab's last document, of which some may be stored: they wait for the connection, or for
    /// some seconds without one.
    pub fn restore(&mut self, entries: impl Iterator<Item = ListedMessage>) -> Option<Effect> {
        self.pause = Some(waiting_for_connection());
        for entry in entries {
            self.push(entry);
        }
        let is_needed = !self.entries.is_empty();
        if !is_needed {
            self.resume();
        }
        is_needed.then_some(Effect::Start(Timer::Post, RESTORED_DELAY_MILLIS))
    }

    /// The next message to post, unless another post is under way.
    pub fn next(&mut self) -> Option<NewMessage> {
        if self.in_flight.is_some() || self.pause.is_some() {
            return None;
        }
        let next = self.entries.iter().find(|it| is_queued(it))?;
        self.in_flight = Some(next.key.clone());
        Some(next.to_new())
    }

    /// The server has refused the message, which trying again cannot change.
    pub fn on_refused(&mut self, key: &ClientMessageId, reason: String) {
        let retry = false;
        self.on_answer(key, Delivery::Failed { reason, retry });
    }

    /// The post failed for now: all messages wait, or fail when it was tried often enough.
    pub fn on_delayed(&mut self, failure: &ApiFailure, now: Now) -> Option<Effect> {
        self.in_flight = None;
        let delay = self.delay(failure, now);
        let delivery = match delay {
            Some(millis) => {
                let note = failure.waiting_note(millis.div_ceil(1_000));
                self.pause = Some(note.clone());
                Delivery::Waiting { note }
            }
            None => Delivery::Failed {
                reason: failure.to_string(),
                retry: true,
            },
        };
        for entry in self.entries.iter_mut().filter(|it| is_queued(it)) {
            entry.delivery = delivery.clone();
        }
        Some(Effect::Start(Timer::Post, delay?))
    }

    /// The delay before the next try in milliseconds; `None` when there is none.
    fn delay(&mut self, failure: &ApiFailure, now: Now) -> Option<u32> {
        let backoff = MIN_DELAY_MILLIS + now.backoff(self.failures);
        self.failures += 1;
        let asked_for = match failure {
            ApiFailure::Unreachable | ApiFailure::TimedOut => return Some(backoff),
            ApiFailure::Busy { retry_after, .. } => *retry_after,
            _ => None,
        };
        self.refusals += 1;
        if self.refusals > MAX_REFUSALS || asked_for > Some(MAX_RETRY_AFTER) {
            (self.failures, self.refusals) = (0, 0);
            return None;
        }
        // Others were asked for the same.
        let delay = |seconds| 1_000 * seconds + now.jitter(1_000);
        Some(asked_for.map_or(backoff, delay).max(MIN_DELAY_MILLIS))
    }

    /// The pause is over: the next message may be posted.
    pub fn resume(&mut self) {
        self.pause = None;
    }

    fn on_answer(&mut self, key: &ClientMessageId, delivery: Delivery) {
        (self.failures, self.refusals) = (0, 0);
        if self.in_flight.as_ref() == Some(key) {
            self.in_flight = None;
        }
        for entry in &mut self.entries {
            if entry.key == *key {
                entry.delivery = delivery.clone();
            } else if is_queued(entry) {
                entry.delivery = Delivery::Sending;
            }
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

    /// The list has reached this number. Where it shows another message than one that was stored there, that one was
    /// lost in a restore: it is posted again.
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
            self.resume();
        }
    }

    /// The connection is back: queues all failed messages again that a retry can help, and ends the pause.
    pub fn retry_all(&mut self) {
        (self.failures, self.refusals) = (0, 0);
        self.resume();
        for entry in &mut self.entries {
            if matches!(entry.delivery, Delivery::Failed { retry: true, .. }) {
                entry.delivery = Delivery::Sending;
            }
        }
    }

    /// Removes a message that was refused permanently, and returns it. One that may be stored after all stays.
    pub fn withdraw(&mut self, key: &ClientMessageId) -> Option<ListedMessage> {
        let refused = |it: &ListedMessage| {
            it.key == *key && matches!(it.delivery, Delivery::Failed { retry: false, .. })
        };
        let index = self.entries.iter().position(refused)?;
        Some(self.entries.remove(index))
    }

    fn find(&mut self, key: &ClientMessageId) -> Option<&mut ListedMessage> {
        self.entries.iter_mut().find(|it| it.key == *key)
    }
}

fn is_queued(entry: &ListedMessage) -> bool {
    matches!(entry.delivery, Delivery::Sending | Delivery::Waiting { .. })
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{key, unsent};
    use super::*;

    const NOW: Now = Now {
        millis: 0,
        random: 0.5,
    };

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

    fn busy(retry_after: Option<u32>) -> ApiFailure {
        ApiFailure::Busy {
            status: 429,
            retry_after,
        }
    }

    fn fail(outbox: &mut Outbox, failure: &ApiFailure) -> Option<u32> {
        match outbox.on_delayed(failure, NOW) {
            Some(Effect::Start(Timer::Post, millis)) => Some(millis),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_are_posted_one_at_a_time_in_order() {
        let mut outbox = outbox(&["a", "b"]);
        assert_eq!(next(&mut outbox), Some("a".into()));
        assert_eq!(next(&mut outbox), None);
        outbox.on_stored(&key("a"), Seq::new(1));
        assert_eq!(next(&mut outbox), Some("b".into()));
    }

    #[test]
    fn a_refused_message_does_not_block_later_ones_and_can_be_withdrawn() {
        let mut outbox = outbox(&["a", "b"]);
        assert_eq!(outbox.withdraw(&key("a")), None, "its post is under way");
        outbox.next();
        outbox.on_refused(&key("a"), "No.".into());
        outbox.retry(&key("a"));
        assert_eq!(next(&mut outbox), Some("b".into()));
        assert_eq!(
            outbox.withdraw(&key("a")).unwrap().content.as_str(),
            "text of a"
        );
        assert_eq!(outbox.entries().len(), 1);
    }

    #[test]
    fn without_an_answer_all_wait_and_are_posted_again_in_order() {
        let mut outbox = outbox(&["a", "b"]);
        let mut delays = Vec::new();
        for _ in 0..20 {
            assert_eq!(next(&mut outbox), Some("a".into()));
            delays.extend(fail(&mut outbox, &ApiFailure::Unreachable));
            assert_eq!(next(&mut outbox), None);
            outbox.resume();
        }
        assert_eq!(delays[..5], [1_250, 1_500, 2_000, 3_000, 5_000]);
        assert_eq!(delays[19], 6_000);
        outbox.push(unsent("c"));
        outbox.next();
        outbox.on_stored(&key("a"), Seq::new(1));
        let delivery = outbox.entries().iter().map(|it| it.delivery.clone());
        let sending = Delivery::Sending;
        assert!(delivery.eq([Delivery::Sent, sending.clone(), sending]));
        assert_eq!(next(&mut outbox), Some("b".into()));
    }

    #[test]
    fn a_new_message_waits_with_the_others() {
        let mut outbox = outbox(&["a"]);
        outbox.next();
        fail(&mut outbox, &ApiFailure::TimedOut);
        outbox.push(unsent("b"));
        assert_eq!(next(&mut outbox), None);
        for entry in outbox.entries() {
            let note = "Waiting for the connection".to_owned();
            assert_eq!(entry.delivery, Delivery::Waiting { note });
        }
        outbox.retry_all();
        assert_eq!(next(&mut outbox), Some("a".into()));
    }

    #[test]
    fn a_busy_server_is_asked_again_when_it_says_so_a_few_times() {
        let mut outbox = outbox(&["a", "b"]);
        for _ in 0..MAX_REFUSALS {
            outbox.next();
            assert_eq!(fail(&mut outbox, &busy(Some(12))), Some(12_500));
            let note = "Too many messages. Trying again within 13\u{a0}s".to_owned();
            assert_eq!(outbox.entries()[1].delivery, Delivery::Waiting { note });
            outbox.resume();
        }
        outbox.next();
        assert_eq!(fail(&mut outbox, &busy(Some(12))), None);
        assert_eq!(next(&mut outbox), None);
        for entry in outbox.entries() {
            let reason = "Too many messages.".to_owned();
            let retry = true;
            assert_eq!(entry.delivery, Delivery::Failed { reason, retry });
        }
        outbox.retry(&key("b"));
        assert_eq!(next(&mut outbox), Some("b".into()));
        assert_eq!(fail(&mut outbox, &busy(None)), Some(1_250));
        outbox.resume();
        outbox.next();
        assert_eq!(fail(&mut outbox, &busy(Some(61))), None, "too long");
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

    #[test]
    fn a_message_that_is_listed_before_its_answer_still_blocks_the_next_post() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.next();
        outbox.remove(&key("a"));
        assert_eq!(next(&mut outbox), None);
        outbox.on_stored(&key("a"), Seq::new(1));
        assert_eq!(outbox.entries().len(), 1);
        assert_eq!(next(&mut outbox), Some("b".into()));
    }
}
