//! The messages that the reader deletes: for a while that can be undone, then the server is asked.

use super::effect::{Effect, Now, Timer};
use super::failure::ApiFailure;
use super::view::Delivery;
use crate::model::{MessageId, Seq};

/// How long a deletion can be undone, in milliseconds.
pub const UNDO_MILLIS: u32 = 6_000;

/// The deletions that the log does not have yet: at most one for each listed message.
#[derive(Debug, Default)]
pub(super) struct Deletions(Vec<Deletion>);

#[derive(Debug)]
struct Deletion {
    seq: Seq,
    /// By which the server notices that it has another message with the number, as after a restore.
    id: MessageId,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Can be undone until then, in milliseconds.
    Waiting(u64),
    /// The server was asked; when it has agreed, the deletion's entry of the log follows.
    Sent,
    /// The server has not deleted it.
    Failed(ApiFailure),
}

impl Deletions {
    /// Deletes a message: after a while, or at once when that is tried again.
    pub fn delete(&mut self, seq: Seq, id: MessageId, now: Now) -> Option<Effect> {
        match self.find(seq) {
            Some(deletion) if matches!(deletion.state, State::Failed(_)) => {
                deletion.state = State::Sent;
                Some(Effect::Delete(seq, deletion.id))
            }
            Some(_) => None,
            None => {
                let state = State::Waiting(now.millis + u64::from(UNDO_MILLIS));
                self.0.push(Deletion { seq, id, state });
                self.timer(now)
            }
        }
    }

    /// Undoes a deletion, unless it was sent.
    pub fn undo(&mut self, seq: Seq) {
        self.0
            .retain(|it| it.seq != seq || !matches!(it.state, State::Waiting(_)));
    }

    /// Sends those whose time is up.
    pub fn on_timer(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = self.send(|until| until <= now.millis);
        effects.extend(self.timer(now));
        effects
    }

    /// Sends all of them: the page is left or hidden.
    pub fn send_all(&mut self) -> Vec<Effect> {
        self.send(|_| true)
    }

    /// The server has answered.
    pub fn on_answered(&mut self, seq: Seq, answer: Result<(), ApiFailure>) {
        if let (Some(deletion), Err(failure)) = (self.find(seq), answer) {
            deletion.state = State::Failed(failure);
        }
    }

    /// Forgets deletions whose message is not listed any more, unless they can still be undone.
    pub fn retain(&mut self, is_listed: impl Fn(Seq) -> bool) {
        self.0
            .retain(|it| is_listed(it.seq) || matches!(it.state, State::Waiting(_)));
    }

    /// Goes on with another history, of which `listed` finds the listed messages: a message is the same one if it has the
    /// number and the id. Its deletion is sent again if it was sent, since it may be lost. If nothing is listed under the
    /// number, what was still to be sent is sent now: the message may be further back, and the server compares the ids.
    pub fn restart(&mut self, listed: impl Fn(Seq) -> Option<MessageId>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.0.retain(|it| {
            let found = listed(it.seq);
            let is_sent = match it.state {
                State::Waiting(_) => found.is_none(),
                State::Sent => found == Some(it.id),
                State::Failed(_) => false,
            };
            if is_sent {
                effects.push(Effect::Delete(it.seq, it.id));
            }
            found == Some(it.id)
        });
        effects
    }

    /// The messages, and what is said of them.
    pub fn all(&self) -> impl Iterator<Item = (Seq, Delivery)> {
        self.0.iter().map(|it| {
            let delivery = match &it.state {
                State::Waiting(_) => Delivery::Deleted { undo: true },
                State::Sent => Delivery::Deleted { undo: false },
                State::Failed(failure) => Delivery::NotDeleted {
                    reason: failure.to_string(),
                },
            };
            (it.seq, delivery)
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&mut self, seq: Seq) -> Option<&mut Deletion> {
        self.0.iter_mut().find(|it| it.seq == seq)
    }

    fn send(&mut self, is_due: impl Fn(u64) -> bool) -> Vec<Effect> {
        let mut effects = Vec::new();
        for deletion in &mut self.0 {
            if matches!(deletion.state, State::Waiting(until) if is_due(until)) {
                deletion.state = State::Sent;
                effects.push(Effect::Delete(deletion.seq, deletion.id));
            }
        }
        effects
    }

    /// Runs until the first one is due.
    fn timer(&self, now: Now) -> Option<Effect> {
        let until = |it: &Deletion| match it.state {
            State::Waiting(until) => Some(until),
            State::Sent | State::Failed(_) => None,
        };
        let first = self.0.iter().filter_map(until).min()?;
        let millis = first.saturating_sub(now.millis);
        let millis = u32::try_from(millis).unwrap_or(UNDO_MILLIS);
        Some(Effect::Start(Timer::Delete, millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Now {
        Now {
            millis,
            random: 0.5,
        }
    }

    const SEVEN: Seq = Seq::new(7);
    const EIGHT: Seq = Seq::new(8);
    const ID: MessageId = MessageId::from_bytes([7; 12]);

    fn delivery(deletions: &Deletions, seq: Seq) -> Option<Delivery> {
        let mut all = deletions.all();
        all.find(|it| it.0 == seq).map(|it| it.1)
    }

    #[test]
    fn a_deletion_is_sent_when_it_can_no_longer_be_undone() {
        let mut deletions = Deletions::default();
        let timer = deletions.delete(SEVEN, ID, at(1_000));
        assert_eq!(timer, Some(Effect::Start(Timer::Delete, UNDO_MILLIS)));
        assert_eq!(deletions.delete(SEVEN, ID, at(1_500)), None);
        deletions.delete(EIGHT, ID, at(3_000));
        assert_eq!(
            delivery(&deletions, SEVEN),
            Some(Delivery::Deleted { undo: true })
        );
        let expected = [
            Effect::Delete(SEVEN, ID),
            Effect::Start(Timer::Delete, 2_000),
        ];
        assert_eq!(deletions.on_timer(at(7_000)), expected);
        assert_eq!(
            delivery(&deletions, SEVEN),
            Some(Delivery::Deleted { undo: false })
        );
        assert_eq!(deletions.on_timer(at(9_000)), [Effect::Delete(EIGHT, ID)]);
    }

    #[test]
    fn one_that_is_undone_is_never_sent() {
        let mut deletions = Deletions::default();
        deletions.delete(SEVEN, ID, at(0));
        deletions.undo(SEVEN);
        assert_eq!(delivery(&deletions, SEVEN), None);
        assert_eq!(deletions.on_timer(at(6_000)), []);
        assert_eq!(deletions.send_all(), []);
    }

    #[test]
    fn one_that_was_sent_cannot_be_undone() {
        let mut deletions = Deletions::default();
        deletions.delete(SEVEN, ID, at(0));
        assert_eq!(deletions.send_all(), [Effect::Delete(SEVEN, ID)]);
        deletions.undo(SEVEN);
        assert!(delivery(&deletions, SEVEN).is_some());
        assert_eq!(deletions.send_all(), []);
    }

    #[test]
    fn one_that_failed_says_why_and_is_tried_again_at_once() {
        let mut deletions = Deletions::default();
        deletions.delete(SEVEN, ID, at(0));
        deletions.send_all();
        deletions.on_answered(SEVEN, Err(ApiFailure::Unreachable));
        let reason = ApiFailure::Unreachable.to_string();
        assert_eq!(
            delivery(&deletions, SEVEN),
            Some(Delivery::NotDeleted { reason })
        );
        assert_eq!(
            deletions.delete(SEVEN, ID, at(9_000)),
            Some(Effect::Delete(SEVEN, ID))
        );
        deletions.on_answered(SEVEN, Ok(()));
        assert_eq!(
            delivery(&deletions, SEVEN),
            Some(Delivery::Deleted { undo: false })
        );
    }

    #[test]
    fn in_another_history_a_deletion_is_of_the_message_with_its_id() {
        let other = MessageId::from_bytes([8; 12]);
        let mut deletions = Deletions::default();
        deletions.delete(SEVEN, ID, at(0));
        assert_eq!(deletions.restart(|_| Some(ID)), []);
        let undo = |undo| Some(Delivery::Deleted { undo });
        assert_eq!(delivery(&deletions, SEVEN), undo(true));
        let sent = [Effect::Delete(SEVEN, ID)];
        assert_eq!(deletions.send_all(), sent);
        assert_eq!(deletions.restart(|_| Some(ID)), sent);
        assert_eq!(delivery(&deletions, SEVEN), undo(false));
        assert_eq!(deletions.restart(|_| Some(other)), []);
        assert_eq!(delivery(&deletions, SEVEN), None);
        deletions.delete(SEVEN, ID, at(0));
        assert_eq!(deletions.restart(|_| Some(other)), []);
        deletions.delete(SEVEN, ID, at(0));
        assert_eq!(deletions.restart(|_| None), sent);
        assert_eq!(delivery(&deletions, SEVEN), None);
    }

    #[test]
    fn what_is_no_longer_listed_is_forgotten_once_it_is_sent() {
        let mut deletions = Deletions::default();
        deletions.delete(SEVEN, ID, at(0));
        deletions.retain(|_| false);
        assert_eq!(deletions.send_all(), [Effect::Delete(SEVEN, ID)]);
        deletions.retain(|_| false);
        assert_eq!(deletions.all().count(), 0);
    }
}
