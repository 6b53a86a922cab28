//! Uploads and messages: the truth that everything else can be repaired from.
//!
//! Every backend passes the suite in `conformance/`, which states the guarantees below as tests.

pub mod coalesced;
pub mod measured;
pub mod metrics;
pub mod mongo;
pub mod sqlite;

#[cfg(test)]
pub(crate) mod conformance;

use app::model::{
    ClientMessageId, Message, MessageId, MessagePage, NewMessage, Seq, ShortId, Timestamp, Upload,
    UploadId, UploadRef,
};
use async_trait::async_trait;
use thiserror::Error;

use crate::ids::PairingId;

/// The most messages that one [`Store::append`] takes.
pub const MAX_APPEND: usize = 256;

/// Why the store did not do it, by what that means to the caller. Backends log their own errors' texts themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StoreError {
    /// There is no such upload.
    #[error("no such upload")]
    NotFound,
    /// An id or short id is taken; make new ones and try again.
    #[error("the id is taken")]
    AlreadyExists,
    /// The backend is away or overloaded; the same call may work later.
    #[error("the store is away")]
    Unavailable,
    /// The files of an embedded database were moved away or replaced while it is open: nothing is written until they are
    /// back.
    #[error("the store's files were moved away")]
    Moved,
}

/// What [`Store::append`] did with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It was stored as this message.
    New(Message),
    /// Its `clientMessageID` was known for this upload: this is the earlier message.
    Known(Message),
}

/// A message to append, with what the node adds to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The id it gets if it is new.
    pub id: MessageId,
    /// What its author wrote.
    pub message: NewMessage,
    /// When the node took it.
    pub created_at: Timestamp,
}

impl Draft {
    /// The message that this draft is once it has a place in the conversation.
    pub fn into_message(self, upload_id: UploadId, seq: Seq) -> Message {
        let NewMessage {
            author_name,
            content,
            client_message_id,
        } = self.message;
        Message {
            id: self.id,
            upload_id,
            seq,
            author_name,
            content,
            client_message_id,
            created_at: self.created_at,
        }
    }

    /// The name by which a repeated draft is known.
    pub fn client_message_id(&self) -> &ClientMessageId {
        &self.message.client_message_id
    }
}

/// Which stretch of a conversation to read. Every answer is oldest first and holds at most `limit` messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Select {
    /// The newest.
    Newest,
    /// Those with a greater sequence number, the nearest first.
    After(Seq),
    /// Those just before it.
    Before(Seq),
    /// Those created after that moment, the nearest first, in the order of their times (of equal times, in the order
    /// of the conversation). Clocks may disagree, so only [`Select::After`] pages through a conversation without loss.
    Since(Timestamp),
}

/// Where uploads and messages are kept.
///
/// Guarantees of every backend:
/// - A call that has answered `Ok` is durable: it survives the node's death (`kill -9`).
/// - Sequence numbers of an upload are 1, 2, 3 … without holes, in the order of the drafts of one call.
/// - A `clientMessageID` is stored at most once per upload, whoever posts it and however often, within one call too.
/// - A write is never undone or left half done by dropping the future that asked for it.
/// - Every call answers within 3 seconds, with [`StoreError::Unavailable`] if need be.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores a new upload, visible to everyone from then on.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when its id or short id is taken.
    async fn insert_upload(&self, upload: Upload) -> Result<(), StoreError>;

    /// The upload that is named, or [`StoreError::NotFound`].
    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError>;

    /// Appends drafts (at most [`MAX_APPEND`]) to the upload's conversation; the answers are in the drafts' order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such upload; nothing is stored then.
    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError>;

    /// A stretch of the conversation and its head, read at one moment; [`StoreError::NotFound`] without the upload.
    async fn messages(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<MessagePage, StoreError>;

    /// Whether the backend answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The id of the blobs that belong to this store; `None` before it was given one. It is read anew at each call: a
    /// database that was replaced meanwhile answers with its own.
    async fn pairing(&self) -> Result<Option<PairingId>, StoreError>;

    /// Gives the store this id unless it has one, and answers with the one that it has then. Of several calls at the
    /// same time one decides for all.
    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError>;

    /// The short ids of the newest uploads, at most `limit`, the newest first.
    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError>;

    /// Whether a short id is in use, so that unreferenced blobs can be told from others.
    async fn has_short_id(&self, short_id: ShortId) -> Result<bool, StoreError> {
        match self.upload(UploadRef::Short(short_id)).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
