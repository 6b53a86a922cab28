//! What all clients together saw: what was acknowledged, how long things took, and what should not have been.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use app::live::failure::ApiFailure;
use app::model::{ClientMessageId, Message, MessagePage, NewMessage, Seq};

use crate::client::misfit;

/// How many complaints are kept.
const MOST_COMPLAINTS: usize = 20;

/// A handle to the ledger; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

/// What is in the ledger.
#[derive(Debug, Default)]
pub struct Book {
    /// What the API answered with 200 or 201, by name.
    pub acknowledged: HashMap<ClientMessageId, Message>,
    /// Answers that were no acknowledgement, by their sentence.
    pub failed_posts: BTreeMap<String, u64>,
    /// How often a client stalled, and for how long at most.
    pub stalls: (u64, Duration),
    /// Sockets that were opened in the place of one that had been lost.
    pub reconnects: u64,
    /// Closed sockets, by code.
    pub closes: BTreeMap<u16, u64>,
    /// Fetches that brought messages which no frame had brought, and how many messages these were.
    pub gaps: u64,
    /// …
    pub gap_messages: u64,
    /// Fetches that failed.
    pub failed_fetches: u64,
    /// Ripples of others that were drawn.
    pub ripples: u64,
    /// Times from the first post of a message to its being shown at another client, if both were while it was calm.
    pub delays: Vec<Duration>,
    /// What should not have been.
    pub complaints: Vec<String>,
    posted: HashMap<ClientMessageId, Instant>,
    calm: bool,
}

impl Ledger {
    /// Everything that was written down.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing is wrong (or: something may be), so that delays count (or: do not).
    pub fn calm(&self, calm: bool) {
        let mut book = self.book();
        book.calm = calm;
        book.posted.clear();
    }

    /// A message is about to be posted.
    pub fn posting(&self, key: &ClientMessageId) {
        let mut book = self.book();
        if book.calm && !book.posted.contains_key(key) {
            book.posted.insert(key.clone(), Instant::now());
        }
    }

    /// A post was answered.
    pub fn answered(&self, new: &NewMessage, answer: &Result<Message, ApiFailure>) {
        let mut book = self.book();
        match answer {
            Ok(message) => book.acknowledge(new, message),
            Err(failure) => *book.failed_posts.entry(failure.to_string()).or_default() += 1,
        }
    }

    /// A message is shown at a client that did not write it.
    pub fn shown(&self, key: &ClientMessageId) {
        let mut book = self.book();
        if let Some(posted) = book.posted.get(key).copied() {
            book.delays.push(posted.elapsed());
        }
    }

    /// A socket is opened.
    pub fn connecting(&self, again: bool) {
        self.book().reconnects += u64::from(again);
    }

    /// A client reads nothing for so long from now on.
    pub fn stalling(&self, pause: Duration) {
        let mut book = self.book();
        let (count, longest) = &mut book.stalls;
        *count += 1;
        *longest = pause.max(*longest);
    }

    /// A socket was closed.
    pub fn closed(&self, code: u16) {
        *self.book().closes.entry(code).or_default() += 1;
    }

    /// A fetch of what is missing was answered.
    pub fn fetched(&self, after: Seq, answer: &Result<MessagePage, ApiFailure>) {
        let mut book = self.book();
        match answer {
            Ok(page) if page.messages.is_empty() => {}
            Ok(page) => {
                if let Some(fault) = misfit(after, &page.messages) {
                    book.blame(format!("a page was fetched that {fault}"));
                }
                book.gaps += 1;
                book.gap_messages += page.messages.len() as u64;
            }
            Err(_) => book.failed_fetches += 1,
        }
    }

    /// So many taps of others were drawn.
    pub fn ripples(&self, count: usize) {
        self.book().ripples += count as u64;
    }

    /// Something happened that should not have.
    pub fn blame(&self, complaint: String) {
        self.book().blame(complaint);
    }
}

impl Book {
    fn acknowledge(&mut self, new: &NewMessage, message: &Message) {
        let key = &new.client_message_id;
        let sent = (key, &new.author_name, &new.content);
        if sent
            != (
                &message.client_message_id,
                &message.author_name,
                &message.content,
            )
        {
            self.blame(format!(
                "{key} was acknowledged as another message: {message:?}"
            ));
        }
        let before = self.acknowledged.insert(key.clone(), message.clone());
        if let Some(before) = before
            && before != *message
        {
            self.blame(format!(
                "{key} was acknowledged as {} and as {}",
                before.seq, message.seq
            ));
        }
    }

    fn blame(&mut self, complaint: String) {
        if self.complaints.len() < MOST_COMPLAINTS && !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }
}

/// The delay that so many of a hundred do not exceed.
pub fn percentile(delays: &mut [Duration], percent: usize) -> Option<Duration> {
    delays.sort_unstable();
    let place = (delays.len() * percent).div_ceil(100).saturating_sub(1);
    delays.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut delays: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut delays, 50), Some(Duration::from_millis(50)));
        assert_eq!(percentile(&mut delays, 99), Some(Duration::from_millis(99)));
        assert_eq!(
            percentile(&mut delays, 100),
            Some(Duration::from_millis(100))
        );
        assert_eq!(percentile(&mut [], 50), None);
    }
}
