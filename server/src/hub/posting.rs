//! Posting: concurrent posts to one upload are grouped into one append, instead of queueing behind each other's disk
//! sync, and published in their order.
//!
//! Each upload that is being posted to has one queue and one task that empties it. The task belongs to the node, not
//! to a request: a client that goes away leaves its message neither half stored nor stored but unpublished.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::model::{Message, NewMessage, UploadId};
use futures::future::join_all;
use thiserror::Error;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use super::topics::Hub;
use crate::store::{Appended, Draft, MAX_APPEND, Store, StoreError};
use crate::{clock, ids};

/// Posts to one upload that may wait. One more is refused: the client tries again later.
pub const MAX_WAITING_POSTS: usize = 1_024;

/// Why a message was not posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PostError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many posts to this upload are waiting.
    #[error("too many posts to this upload are waiting")]
    Busy,
}

type Answer = oneshot::Sender<Result<Appended, StoreError>>;
type Waiting = VecDeque<Post>;

/// A message that waits for its group.
struct Post {
    message: NewMessage,
    asked: Asked,
}

/// Who posted it.
struct Asked {
    answer: Answer,
    /// The request's, so that what is logged of its message here can be found by its id.
    span: Span,
}

/// Takes posts; clones share their queues.
#[derive(Clone)]
pub struct Poster(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    hub: Hub,
    /// An upload has a queue as long as its task runs.
    queues: Mutex<HashMap<UploadId, Waiting>>,
}

impl Poster {
    /// A poster that appends to `store` and publishes through `hub`.
    pub fn new(store: Arc<dyn Store>, hub: Hub) -> Self {
        Self(Arc::new(Inner {
            store,
            hub,
            queues: Mutex::default(),
        }))
    }

    /// Makes the message durable and publishes it; answers when it is durable. A message whose `clientMessageID` is
    /// known is neither stored nor published again.
    ///
    /// # Errors
    /// See [`PostError`]. After [`StoreError::Unavailable`] it is undecided whether the message was stored; the same
    /// `clientMessageID` posted again settles it.
    pub async fn post(&self, upload: UploadId, message: NewMessage) -> Result<Appended, PostError> {
        let (answer, answered) = oneshot::channel();
        let span = Span::current();
        let asked = Asked { answer, span };
        self.enqueue(upload, Post { message, asked })?;
        let posted = answered.await.unwrap_or(Err(StoreError::Unavailable))?;
        if let Appended::Known(message) = &posted {
            // It may have been stored without an answer, and so without being published.
            self.0.hub.note_head(upload, message.seq);
        }
        Ok(posted)
    }

    fn enqueue(&self, upload: UploadId, post: Post) -> Result<(), PostError> {
        let mut queues = self.queues();
        if let Some(queue) = queues.get_mut(&upload) {
            if queue.len() >= MAX_WAITING_POSTS {
                return Err(PostError::Busy);
            }
            queue.push_back(post);
        } else {
            queues.insert(upload, VecDeque::from([post]));
            self.0.hub.tasks().spawn(self.clone().empty(upload));
        }
        Ok(())
    }

    /// Appends and publishes group by group until the upload's queue is empty, and takes the queue away. While a group
    /// is published the next one is appended: a broker that is slow to answer makes posts wait for it less.
    async fn empty(self, upload: UploadId) {
        let mut abandoned = Abandoned {
            poster: &self,
            upload: Some(upload),
        };
        let mut posted = Vec::new();
        loop {
            let last = posted.is_empty();
            // It is polled first, so that no message waits for the next commit.
            let publish = self.publish(posted);
            let ((), appended) = tokio::join!(publish, self.append_next(upload, last));
            match appended {
                Some(appended) => posted = appended,
                None => break,
            }
        }
        abandoned.upload = None;
    }

    /// Appends what waits; `None` once nothing does and this is the last thing to do.
    async fn append_next(&self, upload: UploadId, last: bool) -> Option<Vec<Posted>> {
        // Whoever was answered a moment ago and posts again at once shares this commit, not the one after it.
        tokio::task::yield_now().await;
        let group = self.next_group(upload, last);
        if group.is_empty() && last {
            return None;
        }
        Some(self.append(upload, group).await)
    }

    /// What waits; when nothing does and this is the last thing to do, the queue is taken away at once.
    fn next_group(&self, upload: UploadId, last: bool) -> Vec<Post> {
        let mut queues = self.queues();
        let Some(queue) = queues.get_mut(&upload) else {
            return Vec::new();
        };
        let group: Vec<_> = queue.drain(..queue.len().min(MAX_APPEND)).collect();
        if group.is_empty() && last {
            queues.remove(&upload);
        }
        group
    }

    /// Makes a group durable, tells those who posted it, and returns what is new. What the store logs meanwhile has the
    /// id of the group's first request; each of the others logs that the store failed it too.
    async fn append(&self, upload: UploadId, group: Vec<Post>) -> Vec<Posted> {
        let Some(first) = group.first() else {
            return Vec::new();
        };
        let span = first.asked.span.clone();
        let (messages, asked): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|post| (post.message, post.asked))
            .unzip();
        let append = self.0.store.append(upload, drafts(messages));
        answer_all(asked, append.instrument(span).await)
    }

    /// Publishes all at once: each call hands its frame over when it is first polled, and so in this order.
    async fn publish(&self, posted: Vec<Posted>) {
        let hub = &self.0.hub;
        let publish = |Posted { message, span }| hub.emit_posted(message).instrument(span);
        join_all(posted.into_iter().map(publish)).await;
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<UploadId, Waiting>> {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message that is durable and new.
struct Posted {
    message: Message,
    /// Its request's.
    span: Span,
}

/// Takes the queue away should its task ever panic: whoever waits is told, and the next post starts anew.
struct Abandoned<'a> {
    poster: &'a Poster,
    upload: Option<UploadId>,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if let Some(upload) = self.upload {
            self.poster.queues().remove(&upload);
        }
    }
}

/// Stamps the messages when their group is formed, so that times follow the sequence numbers.
fn drafts(messages: Vec<NewMessage>) -> Vec<Draft> {
    let created_at = clock::now();
    messages
        .into_iter()
        .map(|message| Draft {
            id: ids::message_id(),
            message,
            created_at,
        })
        .collect()
}

/// Tells everyone how their post went, and returns the messages that are new.
fn answer_all(asked: Vec<Asked>, appended: Result<Vec<Appended>, StoreError>) -> Vec<Posted> {
    let appended = match appended {
        Ok(appended) => appended,
        Err(error) => {
            for Asked { answer, span } in asked {
                // Whoever no longer listens will learn it by posting again; the others log it themselves.
                if answer.send(Err(error)).is_err() {
                    span.in_scope(|| tracing::warn!(%error, "a message was not stored"));
                }
            }
            return Vec::new();
        }
    };
    let mut posted = Vec::new();
    for (Asked { answer, span }, appended) in asked.into_iter().zip(appended) {
        if let Appended::New(message) = &appended {
            let message = message.clone();
            posted.push(Posted { message, span });
        }
        drop(answer.send(Ok(appended)));
    }
    posted
}
