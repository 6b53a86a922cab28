//! Messages: listed in order, fetched when missing, and posted.

use super::{Machine, Older};
use crate::live::Delivery;
use crate::live::effect::{Effect, Now, Timer};
use crate::live::failure::ApiFailure;
use crate::live::line::Phase;
use crate::model::{ClientMessageId, Message, MessagePage, Seq};

/// How long "caught up" is shown, in milliseconds.
const SETTLE_MILLIS: u32 = 6_000;

impl Machine {
    pub(super) fn offer(&mut self, messages: Vec<Message>, head: Seq) {
        self.conversation.learn_head(head);
        for message in messages {
            for entry in self.conversation.offer(message) {
                self.entries_changed = true;
                self.outbox.settle(&entry.key);
                if let (Some(missed), false) = (&mut self.missed, entry.mine) {
                    *missed += 1;
                }
            }
            self.conversation.trim();
        }
    }

    pub(super) fn fetched(&mut self, answer: Result<MessagePage, ApiFailure>, now: Now) {
        let before = self.conversation.cursor();
        let failed = answer.is_err();
        if let Ok(page) = answer {
            self.offer(page.messages, page.head);
        }
        let stuck = self.conversation.is_behind() && self.conversation.cursor() == before;
        if stuck || failed {
            let rest = self.fetching.failed(now);
            self.effects.push(rest);
        } else {
            self.fetching.succeeded();
        }
    }

    pub(super) fn pull(&mut self) {
        if self.conversation.is_behind() {
            let live = self.line.phase() == Phase::Live;
            let cursor = self.conversation.cursor();
            self.effects.extend(self.fetching.pull(cursor, live));
        } else {
            self.fetching.whole();
        }
    }

    pub(super) fn poll(&mut self) {
        self.polling = false;
        if self.line.is_visible() {
            self.effects
                .extend(self.fetching.pull(self.conversation.cursor(), false));
        }
    }

    pub(super) fn keep_polling(&mut self, now: Now) {
        match self.line.poll_delay(now) {
            Some(delay) if !self.polling => {
                self.polling = true;
                self.effects.push(Effect::Start(Timer::Poll, delay));
            }
            None if self.polling => {
                self.polling = false;
                self.effects.push(Effect::Stop(Timer::Poll));
            }
            _ => {}
        }
    }

    /// Tells that everything is there again, once it is.
    pub(super) fn settle(&mut self) {
        if self.line.phase() != Phase::Live || self.conversation.is_behind() {
            return;
        }
        if let Some(missed) = self.missed.take()
            && missed > 0
        {
            self.caught_up = Some(missed);
            self.effects
                .push(Effect::Start(Timer::Settle, SETTLE_MILLIS));
        }
    }

    pub(super) fn load_older(&mut self) {
        if self.older != Older::Loading && self.conversation.has_older() {
            self.older = Older::Loading;
            self.effects
                .push(Effect::FetchBefore(self.conversation.first()));
        }
    }

    pub(super) fn fetched_older(&mut self, answer: Result<MessagePage, ApiFailure>) {
        match answer {
            Ok(page) => {
                self.older = Older::Idle;
                self.conversation.offer_older(page.messages);
                self.entries_changed = true;
            }
            Err(_) => self.older = Older::Failed,
        }
    }

    pub(super) fn answered(&mut self, key: &ClientMessageId, answer: Result<Message, ApiFailure>) {
        self.entries_changed = true;
        match answer {
            Ok(message) => {
                self.outbox.answered(key, Delivery::Sent);
                if message.seq <= self.conversation.cursor() {
                    self.outbox.settle(key);
                }
                self.offer(vec![message], Seq::ZERO);
            }
            Err(failure) => {
                let (reason, retry) = (failure.to_string(), failure.is_passing());
                self.outbox
                    .answered(key, Delivery::Failed { reason, retry });
            }
        }
        self.post_next();
    }

    pub(super) fn retry(&mut self, key: &ClientMessageId) {
        self.outbox.retry(key);
        self.entries_changed = true;
        self.post_next();
    }

    pub(super) fn post_next(&mut self) {
        self.effects.extend(self.outbox.next().map(Effect::Post));
    }

    pub(super) fn know_own(&mut self, keys: impl IntoIterator<Item = ClientMessageId>) {
        for key in keys {
            self.conversation.know_own(key);
        }
        self.entries_changed = true;
    }
}
