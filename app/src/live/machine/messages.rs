//! Listing, fetching and posting messages.

use std::slice;

use super::{Machine, Older};
use crate::live::connection::Phase;
use crate::live::effect::{Effect, Now, Timer};
use crate::live::failure::ApiFailure;
use crate::model::{ClientMessageId, LogEntry, LogPage, Seq};

/// The time for which "caught up" is shown, in milliseconds.
const CAUGHT_UP_MILLIS: u32 = 6_000;

impl Machine {
    pub(super) fn insert(&mut self, entries: Vec<LogEntry>, head: Seq) {
        self.conversation.drop_contradicted(&entries);
        self.conversation.raise_head(head);
        for entry in entries {
            for listed in self.conversation.insert(entry) {
                self.changes.entries = true;
                let Some(message) = &listed.message else {
                    continue;
                };
                self.outbox.remove(&message.key);
                if let (Some(missed), false) = (&mut self.missed, message.mine) {
                    *missed += 1;
                }
            }
            self.conversation.trim();
        }
        self.outbox.repeat_lost(self.conversation.cursor());
        self.post_next();
    }

    /// The server has another history, as after a restore: the list starts anew, and unsent messages are posted to it.
    pub(super) fn restart(&mut self, page: LogPage) {
        self.conversation.restart(page);
        self.backfill.restart();
        self.outbox.restart();
        self.restart_deletions();
        for listed in self.conversation.listed() {
            if let Some(message) = &listed.message {
                self.outbox.remove(&message.key);
            }
        }
        self.older = match self.older {
            Older::Loading | Older::Outdated => Older::Outdated,
            Older::Postponed => Older::Postponed,
            Older::Idle | Older::Failed => Older::Idle,
        };
        self.is_contradicted = false;
        self.changes.restarted = true;
        self.changes.entries = true;
        self.post_next();
    }

    pub(super) fn on_fetched(&mut self, answer: Result<LogPage, ApiFailure>, now: Now) {
        if self.backfill.take_outdated() {
            return;
        }
        let before = self.conversation.cursor();
        let failed = answer.is_err();
        if let Ok(page) = answer {
            if self.is_contradicted_by(&page) {
                self.is_contradicted = true;
                self.backfill.on_success();
                return;
            }
            self.insert(page.entries, page.head);
        }
        let stuck = self.conversation.is_behind() && self.conversation.cursor() == before;
        if stuck || failed {
            let retry = self.backfill.on_failure(now);
            self.effects.push(retry);
        } else {
            self.backfill.on_success();
        }
    }

    /// Whether an answer shows that the server has another history.
    fn is_contradicted_by(&self, page: &LogPage) -> bool {
        self.backfill.contradicts(page.head) || self.conversation.contradicts(&page.entries)
    }

    /// When the newest messages do not connect to the list, they replace it: there is never a gap in it.
    pub(super) fn on_fetched_newest(&mut self, answer: Result<LogPage, ApiFailure>, now: Now) {
        if self.backfill.take_outdated() {
            return;
        }
        let answer = match answer {
            Ok(page) if self.is_contradicted || self.is_contradicted_by(&page) => {
                self.backfill.on_success();
                return self.restart(page);
            }
            answer => answer,
        };
        let first = answer.as_ref().ok().and_then(|page| page.entries.first());
        let first = first.map_or(Seq::ZERO, LogEntry::seq);
        let skipped = self.conversation.skip_to(first);
        if skipped > 0 {
            self.changes.entries = true;
            // They are among the skipped ones.
            self.outbox.remove_stored_before(first);
            if let Some(missed) = &mut self.missed {
                *missed += usize::try_from(skipped).unwrap_or(usize::MAX);
            }
        }
        self.on_fetched(answer, now);
    }

    /// Fetches what is known to be missing.
    pub(super) fn start_backfill(&mut self) {
        match self.connector.phase() {
            Phase::NotFound | Phase::Gone => {}
            // The watch that follows brings what is missing.
            _ if self.connector.is_inactive() => {}
            _ if self.is_contradicted => {
                let head = self.conversation.head();
                self.effects.extend(self.backfill.start_newest(head));
            }
            phase if self.conversation.is_behind() => self.fetch(phase == Phase::Live),
            _ => self.backfill.complete(),
        }
    }

    pub(super) fn on_poll_timer(&mut self) {
        self.polling = false;
        if self.connector.is_visible() {
            self.fetch(false);
        }
    }

    fn fetch(&mut self, live: bool) {
        let (cursor, head) = (self.conversation.cursor(), self.conversation.head());
        self.effects.extend(self.backfill.start(cursor, head, live));
    }

    pub(super) fn update_polling(&mut self, now: Now) {
        match self.connector.poll_delay(now) {
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

    /// Ends the interruption once nothing is missing any more.
    pub(super) fn update_caught_up(&mut self) {
        if self.connector.phase() != Phase::Live || self.conversation.is_behind() {
            return;
        }
        if let Some(missed) = self.missed.take()
            && missed > 0
        {
            self.caught_up = Some(missed);
            self.effects
                .push(Effect::Start(Timer::HideCaughtUp, CAUGHT_UP_MILLIS));
        }
    }

    pub(super) fn load_older(&mut self) {
        if matches!(self.older, Older::Idle | Older::Failed) && self.conversation.has_older() {
            self.older = Older::Loading;
            self.effects
                .push(Effect::FetchUpTo(self.conversation.first()));
        }
    }

    /// Loads older messages that were postponed, once nothing is missing, or nothing will come any more. One request is
    /// under way at a time, and each further one follows a deletion that the list has got since.
    pub(super) fn resume_older(&mut self) {
        let is_over = matches!(self.connector.phase(), Phase::NotFound | Phase::Gone);
        if self.older == Older::Postponed && (is_over || !self.conversation.is_behind()) {
            self.older = Older::Idle;
            self.load_older();
        }
    }

    pub(super) fn on_fetched_older(&mut self, answer: Result<LogPage, ApiFailure>) {
        match answer {
            _ if self.older == Older::Outdated => self.older = Older::Postponed,
            Ok(page) if self.conversation.contradicts(&page.entries) => {
                self.older = Older::Idle;
                self.is_contradicted = true;
            }
            Ok(page) if !self.conversation.has_deletions_of(&page.entries) => {
                // A restore may lose a deletion before it is here. Then the message would be there again, and nothing
                // would show it.
                self.conversation.raise_head(page.head);
                self.older = Older::Postponed;
            }
            Ok(page) => {
                self.older = Older::Idle;
                for message in page.messages() {
                    self.outbox.remove(&message.client_message_id);
                }
                self.conversation.insert_older(page.entries);
                self.changes.entries = true;
            }
            Err(_) => self.older = Older::Failed,
        }
    }

    pub(super) fn on_post_answered(
        &mut self,
        key: &ClientMessageId,
        answer: Result<LogEntry, ApiFailure>,
        now: Now,
    ) {
        self.changes.entries = true;
        match answer {
            _ if self.outbox.take_outdated(key) => {}
            Ok(entry) => {
                let seq = entry.seq();
                self.outbox.on_stored(key, seq);
                if seq > self.conversation.cursor() {
                    // Its frame lists it, or a request that also brings the entry before it: the answer alone does not
                    // show that the server still has the history of this list.
                    self.conversation.raise_head(seq);
                } else if self.conversation.contradicts(slice::from_ref(&entry)) {
                    self.is_contradicted = true;
                } else {
                    self.outbox.remove(key);
                }
            }
            Err(failure) if failure.is_temporary() => {
                self.effects.extend(self.outbox.on_delayed(&failure, now));
            }
            Err(failure) => self.outbox.on_refused(key, failure.to_string()),
        }
        self.post_next();
    }

    /// Until the watch is answered, and once the list is contradicted, a new entry may follow another history than the
    /// list's: it is fetched with what is before it.
    pub(super) fn on_appended(&mut self, entry: LogEntry) {
        if self.connector.phase() == Phase::Live && !self.is_contradicted {
            self.is_contradicted = self.conversation.contradicts(slice::from_ref(&entry));
            self.insert(vec![entry], Seq::ZERO);
        } else {
            self.conversation.raise_head(entry.seq());
        }
    }

    pub(super) fn retry(&mut self, key: &ClientMessageId) {
        self.outbox.retry(key);
        self.changes.entries = true;
        self.post_next();
    }

    pub(super) fn on_post_timer(&mut self) {
        self.outbox.resume();
        self.post_next();
    }

    pub(super) fn post_next(&mut self) {
        self.effects.extend(self.outbox.next().map(Effect::Post));
    }
}
