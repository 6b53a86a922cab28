//! Deleting messages.

use super::Machine;
use crate::live::effect::{Effect, Now, Timer};
use crate::live::failure::ApiFailure;
use crate::model::Seq;

impl Machine {
    pub(super) fn delete(&mut self, seq: Seq, now: Now) {
        if let Some(id) = self.conversation.message_id(seq) {
            self.effects.extend(self.deletions.delete(seq, id, now));
            self.changes.deliveries = true;
        }
    }

    pub(super) fn undo_delete(&mut self, seq: Seq) {
        self.deletions.undo(seq);
        self.changes.deliveries = true;
    }

    pub(super) fn on_delete_timer(&mut self, now: Now) {
        let effects = self.deletions.on_timer(now);
        self.perform_deletions(effects);
    }

    /// Sends the deletions that could still be undone: the page is left or hidden, and may not be there when their time
    /// is up.
    pub(super) fn send_deletions(&mut self) {
        let effects = self.deletions.send_all();
        if !effects.is_empty() {
            self.effects.push(Effect::Stop(Timer::Delete));
            self.perform_deletions(effects);
        }
    }

    fn perform_deletions(&mut self, effects: Vec<Effect>) {
        let sent = effects.iter().filter_map(|effect| match effect {
            Effect::Delete(seq, _) => Some(*seq),
            _ => None,
        });
        self.changes.deletions_sent.extend(sent);
        self.changes.deliveries = true;
        self.effects.extend(effects);
    }

    /// Deletes in another history what was being deleted, as far as it is there.
    pub(super) fn restart_deletions(&mut self) {
        let conversation = &self.conversation;
        let effects = self.deletions.restart(|seq| conversation.message_id(seq));
        if !effects.is_empty() {
            self.perform_deletions(effects);
        }
    }

    pub(super) fn on_delete_answered(&mut self, seq: Seq, answer: Result<(), ApiFailure>) {
        self.deletions.on_answered(seq, answer);
        self.changes.deliveries = true;
    }

    /// Says of the listed messages which are being deleted, also of those that were listed anew.
    pub(super) fn update_deliveries(&mut self) {
        let may_be_listed_anew = self.changes.entries && !self.deletions.is_empty();
        if self.changes.deliveries || may_be_listed_anew {
            let conversation = &mut self.conversation;
            self.deletions
                .retain(|seq| conversation.message_id(seq).is_some());
            conversation.set_deliveries(self.deletions.all());
        }
    }
}
