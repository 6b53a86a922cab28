//! Posting: concurrent posts to one upload are stored by one append, so that they do not wait for one disk sync each,
//! and are published in their order.
//!
//! Each upload that is being posted to has a queue and a task that drains it. The task belongs to the node and not to a
//! request: when a client disconnects, its message is still stored and published.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};

use app::model::{Message, NewMessage, UploadId};
use futures::future::join_all;
use thiserror::Error;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use super::handle::Hub;
use crate::store::{Appended, Draft, MAX_APPEND, SecretHash, Store, StoreError};
use crate::sync::{Mutex, MutexGuard, spawn};
use crate::{clock, ids};

/// The number of posts to one upload that may wait. One more is refused, and the client tries again later.
pub const MAX_WAITING_POSTS: usize = 1_024;

/// Why a message was not posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PostError {
    /// The store's error.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many posts to this upload are waiting.
    #[error("too many posts to this upload are waiting")]
    Busy,
}

type ReplySender = oneshot::Sender<Result<Appended, StoreError>>;
type Queue = VecDeque<Post>;

/// A message that waits to be appended.
struct Post {
    message: NewMessage,
    owner: Option<SecretHash>,
    request: Request,
}

/// The request that posted a message.
struct Request {
    reply: ReplySender,
    /// The request's span, so that what is logged about the message here carries the request's id.
    span: Span,
}

/// Stores and publishes messages; clones share their queues.
#[derive(Clone)]
pub struct Poster(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    hub: Hub,
    /// An upload has a queue while its task runs.
    queues: Mutex<HashMap<UploadId, Queue>>,
}

impl Poster {
    /// Creates a poster that appends to `store` and publishes through `hub`.
    pub fn new(store: Arc<dyn Store>, hub: Hub) -> Self {
        Self(Arc::new(Inner {
            store,
            hub,
            queues: Mutex::default(),
        }))
    }

    /// Stores the message and publishes it; returns when it is durable. Whoever has the secret with the hash `owner`
    /// may delete it. A message whose `clientMessageID` is known is neither stored nor published again.
    ///
    /// # Errors
    /// See [`PostError`]. After [`StoreError::Unavailable`] the message may or may not have been stored; posting it
    /// again under the same `clientMessageID` is safe.
    pub async fn post(
        &self,
        upload: UploadId,
        message: NewMessage,
        owner: Option<SecretHash>,
    ) -> Result<Appended, PostError> {
        let (reply, replied) = oneshot::channel();
        let span = Span::current();
        let post = Post {
            message,
            owner,
            request: Request { reply, span },
        };
        self.enqueue(upload, post)?;
        let appended = replied.await.unwrap_or(Err(StoreError::Unavailable))?;
        if let Appended::Known(known) = &appended {
            // The first attempt may have stored it without getting an answer, and so without publishing it.
            self.0.hub.announce_head(upload, known.seq());
        }
        Ok(appended)
    }

    /// How many posts wait, of the upload with the most; `None` if no upload has a queue.
    pub fn longest_queue(&self) -> Option<usize> {
        self.queues().values().map(VecDeque::len).max()
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
            spawn(self.0.hub.tasks(), self.clone().drain(upload));
        }
        Ok(())
    }

    /// Appends and publishes group by group until the upload's queue is empty, and removes the queue. The next group is
    /// appended while one is published, so that a slow broker delays posts less.
    async fn drain(self, upload: UploadId) {
        let mut guard = QueueGuard {
            poster: &self,
            upload: Some(upload),
        };
        let mut posted = Vec::new();
        loop {
            let nothing_to_publish = posted.is_empty();
            // Polled first, so that publishing does not wait for the next commit.
            let publish = self.publish(posted);
            let ((), appended) =
                tokio::join!(publish, self.append_next(upload, nothing_to_publish));
            match appended {
                Some(appended) => posted = appended,
                None => break,
            }
        }
        guard.upload = None;
    }

    /// Appends the next group and returns its new messages; `None` when the queue is empty and nothing is left to
    /// publish.
    async fn append_next(&self, upload: UploadId, nothing_to_publish: bool) -> Option<Vec<Posted>> {
        // A client that was just answered and posts again at once shares this commit instead of waiting for the next.
        tokio::task::yield_now().await;
        let group = self.next_group(upload, nothing_to_publish);
        if group.is_empty() && nothing_to_publish {
            return None;
        }
        Some(self.append(upload, group).await)
    }

    /// Takes the next group; removes the queue if it is empty and nothing is left to publish.
    fn next_group(&self, upload: UploadId, nothing_to_publish: bool) -> Vec<Post> {
        let mut queues = self.queues();
        let Some(queue) = queues.get_mut(&upload) else {
            return Vec::new();
        };
        let group: Vec<_> = queue.drain(..queue.len().min(MAX_APPEND)).collect();
        if group.is_empty() && nothing_to_publish {
            queues.remove(&upload);
        }
        group
    }

    /// Appends a group, replies to its requests, and returns the new messages. What the store logs meanwhile carries
    /// the id of the group's first request.
    async fn append(&self, upload: UploadId, group: Vec<Post>) -> Vec<Posted> {
        let Some(first) = group.first() else {
            return Vec::new();
        };
        let span = first.request.span.clone();
        let (messages, requests): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|post| ((post.message, post.owner), post.request))
            .unzip();
        let append = self.0.store.append(upload, drafts(messages));
        reply_all(requests, append.instrument(span).await)
    }

    /// Publishes concurrently. The order is kept, because the broker sends frames in the order of the calls' first
    /// polls.
    async fn publish(&self, posted: Vec<Posted>) {
        let hub = &self.0.hub;
        let publish = |Posted { message, span }| hub.publish_posted(message).instrument(span);
        join_all(posted.into_iter().map(publish)).await;
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<UploadId, Queue>> {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message that has just been stored.
struct Posted {
    message: Message,
    /// The span of its request.
    span: Span,
}

/// Removes the queue if its task panics: waiting posts fail, and the next one starts a new task.
struct QueueGuard<'a> {
    poster: &'a Poster,
    upload: Option<UploadId>,
}

impl Drop for QueueGuard<'_> {
    fn drop(&mut self) {
        if let Some(upload) = self.upload {
            self.poster.queues().remove(&upload);
        }
    }
}

/// Gives the messages of a group their ids and one time, so that times follow the sequence numbers.
fn drafts(messages: Vec<(NewMessage, Option<SecretHash>)>) -> Vec<Draft> {
    let created_at = clock::now();
    messages
        .into_iter()
        .map(|(message, owner)| Draft {
            id: ids::message_id(),
            message,
            created_at,
            owner,
        })
        .collect()
}

/// Replies to each request, and returns the new messages.
fn reply_all(requests: Vec<Request>, appended: Result<Vec<Appended>, StoreError>) -> Vec<Posted> {
    let appended = match appended {
        Ok(appended) => appended,
        Err(error) => {
            for Request { reply, span } in requests {
                // A request that still waits logs the error itself.
                if reply.send(Err(error)).is_err() {
                    span.in_scope(|| tracing::warn!(%error, "a message was not stored"));
                }
            }
            return Vec::new();
        }
    };
    let mut posted = Vec::new();
    for (Request { reply, span }, appended) in requests.into_iter().zip(appended) {
        if let Appended::New(message) = &appended {
            let message = message.clone();
            posted.push(Posted { message, span });
        }
        drop(reply.send(Ok(appended)));
    }
    posted
}

#[cfg(test)]
mod interleavings;
