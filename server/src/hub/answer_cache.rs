//! Caches answers to `watch` that carry entries of logs, so that equal requests share one encoded answer.

use std::sync::Arc;

use app::event::ServerEvent;
use app::model::{Cursor, LogEntry, LogPage, Seq, UploadId};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::batch::Batch;
use super::frames::encode;

/// An answer with more bytes is sent without its messages.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;
/// More than an answer takes beside its messages.
const RESET_OVERHEAD: usize = 512;
/// The bytes of cached answers. Beyond it, the least used ones are evicted.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// The bytes that an entry takes beside its frame.
const ENTRY_OVERHEAD: u64 = 256;
/// The bytes of the answer for a short conversation, to size the cache.
const TYPICAL_ANSWER_BYTES: u64 = 8 * 1024;

/// The cached answers. What is between a number and a head changes only by an entry after that head, so answers do not
/// become stale. The cache is cleared when the store has another history than was known, and when something is deleted,
/// so that it is not kept in memory.
pub(super) struct AnswerCache(Cache<AnswerKey, Entry, Weight>);

/// The key of a cached answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AnswerKey {
    pub(super) upload: UploadId,
    /// What the client has; with an id, the answer says whether the store has the same. `None` for the answer with
    /// which clients start anew, whatever they have.
    pub(super) cursor: Option<Cursor>,
    /// The head of the conversation.
    pub(super) head: Seq,
}

#[derive(Clone)]
enum Entry {
    Answer(Arc<Batch>),
    /// The store has not what the client has: it starts anew.
    Reset,
}

#[derive(Clone)]
struct Weight;

impl Weighter<AnswerKey, Entry> for Weight {
    fn weight(&self, _: &AnswerKey, entry: &Entry) -> u64 {
        let bytes = match entry {
            Entry::Answer(answer) => answer.bytes().len() as u64,
            Entry::Reset => 0,
        };
        bytes + ENTRY_OVERHEAD
    }
}

impl Default for AnswerCache {
    fn default() -> Self {
        // One shard, so that there is room for a large answer too.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity((MAX_BYTES / TYPICAL_ANSWER_BYTES) as usize)
            .weight_capacity(MAX_BYTES)
            .build()
            .expect("all options without a default are set");
        Self(Cache::with_options(
            options,
            Weight,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        ))
    }
}

impl AnswerCache {
    pub(super) fn clear(&self) {
        self.0.clear();
    }

    /// Returns a cached answer.
    pub(super) fn get(&self, key: &AnswerKey) -> Option<Arc<Batch>> {
        match self.0.get(key)? {
            Entry::Answer(answer) => Some(answer),
            Entry::Reset => self.reset(key.upload, key.head),
        }
    }

    /// Returns the cached answer with which clients start anew.
    fn reset(&self, upload: UploadId, head: Seq) -> Option<Arc<Batch>> {
        let cursor = None;
        match self.0.get(&AnswerKey {
            upload,
            cursor,
            head,
        })? {
            Entry::Answer(answer) => Some(answer),
            Entry::Reset => None,
        }
    }

    /// Records that the store has not what a client has, and returns the answer with which it starts anew, if that is
    /// cached. So a client that invents ids costs no second read.
    pub(super) fn get_reset(
        &self,
        upload: UploadId,
        cursor: Cursor,
        head: Seq,
    ) -> Option<Arc<Batch>> {
        let key = AnswerKey {
            upload,
            cursor: Some(cursor),
            head,
        };
        self.0.insert(key, Entry::Reset);
        self.reset(upload, head)
    }

    /// Returns the answer to a client that has all messages up to `cursor`, where `page` holds those after it. Encodes
    /// it if it is not cached.
    pub(super) fn get_or_encode(
        &self,
        upload: UploadId,
        cursor: Cursor,
        page: LogPage,
    ) -> Arc<Batch> {
        let head = page.head;
        let key = AnswerKey {
            upload,
            cursor: Some(cursor),
            head,
        };
        if let Some(answer) = self.get(&key) {
            return answer;
        }
        let reaches_head = page.entries.last().is_some_and(|last| last.seq() == head);
        // One with an id was checked by the store, which the next equal one is spared.
        if !reaches_head && cursor.id.is_none() {
            return Arc::new(watched(upload, head, Vec::new(), false));
        }
        let entries = if reaches_head {
            page.entries
        } else {
            Vec::new()
        };
        let mut answer = watched(upload, head, entries, false);
        if answer.bytes().len() > MAX_BACKLOG_BYTES {
            answer = watched(upload, head, Vec::new(), false);
        }
        self.insert(key, answer)
    }

    /// Encodes the answer to a client whose last message is not the store's: it starts anew from the newest messages.
    pub(super) fn encode_reset(&self, upload: UploadId, newest: LogPage) -> Arc<Batch> {
        let head = newest.head;
        let key = AnswerKey {
            upload,
            cursor: None,
            head,
        };
        let entries = newest_that_fit(newest.entries);
        self.insert(key, watched(upload, head, entries, true))
    }

    fn insert(&self, key: AnswerKey, answer: Batch) -> Arc<Batch> {
        let answer = Arc::new(answer);
        self.0.insert(key, Entry::Answer(Arc::clone(&answer)));
        answer
    }
}

/// Returns as many of the newest entries as an answer may carry.
fn newest_that_fit(mut entries: Vec<LogEntry>) -> Vec<LogEntry> {
    let mut left = MAX_BACKLOG_BYTES - RESET_OVERHEAD;
    let fits = |entry: &&LogEntry| {
        let length = serde_json::to_vec(entry).map_or(usize::MAX, |json| json.len());
        let rest = left.checked_sub(length.saturating_add(1));
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    let count = entries.iter().rev().take_while(fits).count();
    entries.split_off(entries.len() - count)
}

fn watched(upload_id: UploadId, head: Seq, entries: Vec<LogEntry>, reset: bool) -> Batch {
    let event = ServerEvent::Watched {
        upload_id,
        head,
        entries,
        reset,
    };
    Batch::from(&encode(&event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids;
    use crate::store::{Draft, Position};
    use app::model::{NewMessage, Timestamp};

    fn message(seq: u64, content: &str) -> LogEntry {
        let draft = Draft {
            id: ids::message_id(),
            message: NewMessage {
                author_name: "Ada".parse().unwrap(),
                content: content.parse().unwrap(),
                client_message_id: ids::client_message_id(),
                at: None,
                author: None,
            },
            created_at: Timestamp::EPOCH,
            owner: None,
        };
        let seq = Seq::new(seq);
        draft
            .into_message(ids::upload_id(), Position { seq, places: 0 })
            .into()
    }

    #[test]
    fn a_reset_carries_as_many_of_the_newest_messages_as_fit() {
        let all: Vec<_> = (1..=64).map(|seq| message(seq, "hi")).collect();
        assert_eq!(newest_that_fit(all.clone()), all);
        // Each character takes six bytes.
        let long = "\u{2028}a".repeat(1_000);
        let all: Vec<_> = (1..=64).map(|seq| message(seq, &long)).collect();
        let fitting = newest_that_fit(all.clone());
        assert!(
            fitting.len() > 30 && fitting.len() < 64,
            "{}",
            fitting.len()
        );
        assert_eq!(fitting, all[64 - fitting.len()..]);
        let page = LogPage {
            entries: all,
            head: Seq::new(64),
        };
        let cache = AnswerCache::default();
        let answer = cache.encode_reset(ids::upload_id(), page);
        assert!(answer.bytes().len() <= MAX_BACKLOG_BYTES);
        assert!(answer.bytes().len() > MAX_BACKLOG_BYTES - 16 * 1024);
    }
}
