//! Answers to `watch` that bring messages, so that those who ask the same share one.

use std::sync::Arc;

use app::event::ServerEvent;
use app::model::{Message, MessagePage, Seq, UploadId};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::batch::Batch;
use super::frames::frame;

/// An answer larger than this, in bytes, is sent without its messages.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;
/// How many bytes of answers are kept. When there is no room for one more, those that are asked for least go.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// What an answer takes beside its frame, in bytes.
const OVERHEAD: u64 = 256;
/// An answer of a short conversation, in bytes.
const USUAL_ANSWER: u64 = 8 * 1024;

/// The answers that were made last. What the store has after a number, up to a head, never changes, so that none gets out
/// of date; they are cleared when the store has refuted what a frame said.
pub(super) struct Answers(Cache<Asked, Arc<Batch>, Weight>);

/// What an answer follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) upload: UploadId,
    /// What the client has.
    pub(super) after: Seq,
    /// How far the conversation has come.
    pub(super) head: Seq,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Asked, Arc<Batch>> for Weight {
    fn weight(&self, _: &Asked, answer: &Arc<Batch>) -> u64 {
        answer.bytes().len() as u64 + OVERHEAD
    }
}

impl Default for Answers {
    fn default() -> Self {
        // In one piece, so that there is room for a large answer too.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity((MAX_BYTES / USUAL_ANSWER) as usize)
            .weight_capacity(MAX_BYTES)
            .build()
            .expect("all that has no default is set");
        Self(Cache::with_options(
            options,
            Weight,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        ))
    }
}

impl Answers {
    /// Forgets them all.
    pub(super) fn clear(&self) {
        self.0.clear();
    }

    /// One that was made before.
    pub(super) fn get(&self, asked: &Asked) -> Option<Arc<Batch>> {
        self.0.get(asked)
    }

    /// The answer to a client that has everything up to `after`, when the store or this node knows `page` behind it.
    pub(super) fn of(&self, upload: UploadId, after: Seq, page: MessagePage) -> Arc<Batch> {
        let head = page.head;
        let asked = Asked {
            upload,
            after,
            head,
        };
        if let Some(answer) = self.get(&asked) {
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
        self.0.insert(asked, Arc::clone(&answer));
        answer
    }
}

fn watched(upload_id: UploadId, head: Seq, messages: Vec<Message>) -> Batch {
    let event = ServerEvent::Watched {
        upload_id,
        head,
        messages,
    };
    Batch::from(&frame(&event))
}
