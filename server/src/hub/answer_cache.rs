//! Caches answers to `watch` that carry messages, so that equal requests share one encoded answer.

use std::sync::Arc;

use app::event::ServerEvent;
use app::model::{Message, MessagePage, Seq, UploadId};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::batch::Batch;
use super::frames::encode;

/// An answer with more bytes is sent without its messages.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;
/// The bytes of cached answers. Beyond it, the least used ones are evicted.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// The bytes that an entry takes beside its frame.
const ENTRY_OVERHEAD: u64 = 256;
/// The bytes of the answer for a short conversation, to size the cache.
const TYPICAL_ANSWER_BYTES: u64 = 8 * 1024;

/// The cached answers. The messages between a number and a head never change, so entries do not become stale; the cache
/// is cleared when the store did not have what a frame said.
pub(super) struct AnswerCache(Cache<AnswerKey, Arc<Batch>, Weight>);

/// The key of a cached answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AnswerKey {
    pub(super) upload: UploadId,
    /// The last number that the client has.
    pub(super) after: Seq,
    /// The head of the conversation.
    pub(super) head: Seq,
}

#[derive(Clone)]
struct Weight;

impl Weighter<AnswerKey, Arc<Batch>> for Weight {
    fn weight(&self, _: &AnswerKey, answer: &Arc<Batch>) -> u64 {
        answer.bytes().len() as u64 + ENTRY_OVERHEAD
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
        self.0.get(key)
    }

    /// Returns the answer to a client that has all messages up to `after`, where `page` holds those after it. Encodes
    /// it if it is not cached.
    pub(super) fn get_or_encode(
        &self,
        upload: UploadId,
        after: Seq,
        page: MessagePage,
    ) -> Arc<Batch> {
        let head = page.head;
        let key = AnswerKey {
            upload,
            after,
            head,
        };
        if let Some(answer) = self.get(&key) {
            return answer;
        }
        let reaches_head = page.messages.last().is_some_and(|last| last.seq == head);
        if !reaches_head {
            return Arc::new(watched(upload, head, Vec::new()));
        }
        let mut answer = watched(upload, head, page.messages);
        if answer.bytes().len() > MAX_BACKLOG_BYTES {
            answer = watched(upload, head, Vec::new());
        }
        let answer = Arc::new(answer);
        self.0.insert(key, Arc::clone(&answer));
        answer
    }
}

fn watched(upload_id: UploadId, head: Seq, messages: Vec<Message>) -> Batch {
    let event = ServerEvent::Watched {
        upload_id,
        head,
        messages,
    };
    Batch::from(&encode(&event))
}
