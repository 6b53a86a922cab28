//! Uploads and their logs. What is stored here is authoritative: everything else can be recovered from it.
//!
//! Every backend passes the tests in `conformance/`, which check the guarantees of [`Store`].

pub mod coalescing;
mod error;
pub mod measured;
pub mod memory;
pub mod metrics;
mod moderation;
pub mod mongo;
mod secret_hash;
pub mod sqlite;

#[cfg(test)]
pub(crate) mod conformance;

use std::num::NonZeroU32;
use std::time::Duration;

use app::model::{
    ClientMessageId, Deletion, LogEntry, LogPage, Message, MessageId, NewMessage, Seq, ShortId,
    Timestamp, Upload, UploadId, UploadRef,
};
use async_trait::async_trait;

pub use error::StoreError;
pub use moderation::{
    ContentHash, MAX_BLOCKED_ADDRESSES, MAX_REPORTS, Moderation, Requester, UploadFilter,
};
pub use secret_hash::SecretHash;

use crate::clock;
use crate::ids::PairingId;

/// The most drafts of one [`Store::append`].
pub const MAX_APPEND: usize = 256;

/// The most short ids of one [`Store::unused_short_ids`].
pub const MAX_SHORT_IDS: usize = 200;

/// How long after its expiry an upload is removed at the earliest. Each node goes by its own clock, and one that is
/// ahead must not remove what has not expired.
pub const REMOVAL_MARGIN: Duration = Duration::from_mins(5);

/// How long [`Store::stored_bytes`] may take.
pub const SUM_TIMEOUT: Duration = Duration::from_secs(30);

/// The result of [`Store::append`] for one draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It was stored as this message.
    New(Message),
    /// Its `clientMessageID` exists already in this upload: this is the earlier message, or what is left of it.
    Known(LogEntry),
}

/// The result of [`Store::delete_message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The message is deleted now, by this entry.
    New(Deletion),
    /// It was deleted before.
    Already,
}

/// Which message of an upload is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRef {
    /// Its number.
    pub seq: Seq,
    /// Its id, if that is known. After the restore of a backup, another message may have its number.
    pub id: Option<MessageId>,
}

impl MessageRef {
    /// Whether the message that has the number is meant if it has this id.
    pub fn is(self, id: MessageId) -> bool {
        self.id.is_none_or(|expected| expected == id)
    }
}

impl From<Seq> for MessageRef {
    fn from(seq: Seq) -> Self {
        Self { seq, id: None }
    }
}

/// The id and the time of a deletion, from the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletionDraft {
    /// The id of the entry, if one is made.
    pub id: MessageId,
    /// When the node received the request.
    pub created_at: Timestamp,
}

/// An upload whose log and images have to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// The upload.
    pub upload: UploadId,
    /// The key of its images.
    pub short_id: ShortId,
    /// When it was deleted, or expired.
    pub since: Timestamp,
}

/// Uploads that expired at this time or earlier are removed now. In milliseconds since 1970.
fn removable_if_expired_by() -> i64 {
    let margin = i64::try_from(REMOVAL_MARGIN.as_millis()).unwrap_or(i64::MAX);
    clock::now().unix_millis() - margin
}

/// A message to append, with an id and a time from the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The message's id, if it is stored.
    pub id: MessageId,
    /// What the author wrote.
    pub message: NewMessage,
    /// When the node received it.
    pub created_at: Timestamp,
    /// The hash of its author's secret, who may delete it.
    pub owner: Option<SecretHash>,
}

impl Draft {
    /// Makes the message that this draft becomes at a position.
    pub fn into_message(self, upload_id: UploadId, position: Position) -> Message {
        let NewMessage {
            author_name,
            content,
            client_message_id,
            at,
            author,
        } = self.message;
        Message {
            id: self.id,
            upload_id,
            seq: position.seq,
            author_name,
            content,
            client_message_id,
            created_at: self.created_at,
            author,
            at,
            pin: at.and(NonZeroU32::new(position.places)),
        }
    }

    /// Returns the id by which a repeated draft is recognised.
    pub fn client_message_id(&self) -> &ClientMessageId {
        &self.message.client_message_id
    }
}

/// An entry's position in its log. Every entry is stored with its own, so that the next one follows from the last one
/// alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Its sequence number; 0 before the first entry.
    pub seq: Seq,
    /// How many messages up to it, itself included, have or had a place. That is the number of its pin, if it has a
    /// place.
    pub places: u32,
}

impl Position {
    /// Returns the position of a deletion that follows the entry at this one.
    #[must_use]
    pub fn next_deletion(self) -> Self {
        Self {
            seq: self.seq.next(),
            places: self.places,
        }
    }

    /// Returns the position of a draft that follows the entry at this one.
    #[must_use]
    pub fn next(self, draft: &Draft) -> Self {
        Self {
            seq: self.seq.next(),
            places: self
                .places
                .saturating_add(u32::from(draft.message.at.is_some())),
        }
    }
}

/// Which entries of a log to read. Every page is oldest first and has at most `limit` entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Select {
    /// The newest ones.
    Newest,
    /// Those with greater sequence numbers, the lowest ones.
    After(Seq),
    /// Those with smaller sequence numbers, the greatest ones.
    Before(Seq),
    /// Those created after that time, the earliest ones, ordered by time (and by sequence number within the same time).
    /// Clocks may disagree, so only [`Select::After`] pages through a conversation without missing any.
    Since(Timestamp),
}

/// Stores uploads and their logs.
///
/// Guarantees of every backend:
/// - What a call has returned `Ok` for is durable (it survives `kill -9` of the node) and visible to every later call,
/// through every node.
/// - The sequence numbers of an upload are 1, 2, 3 … without holes, in the order of the drafts of one call.
/// - A deleted message keeps its number, and nothing of its text, alias, place and author can be read any more.
/// - The pins of an upload are 1, 2, 3 … without holes, in the order of the messages that have a place.
/// - A `clientMessageID` is stored at most once per upload, however often and through however many nodes it is posted,
/// and also within one call.
/// - Dropping the future of a write neither undoes the write nor leaves it half done.
/// - Every call returns within 3 seconds, [`Store::stored_bytes`] within [`SUM_TIMEOUT`], with
/// [`StoreError::Unavailable`] if necessary.
///
/// Every call may fail with [`StoreError::Unavailable`] or, in an embedded database, [`StoreError::Moved`]. After such
/// an error it is undecided whether a write was done, or will be done later; each method says what repeating it does.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // Uploads

    /// Inserts a new upload. It belongs to whoever has the secret with the hash `owner`. On success it is durable and
    /// visible to every later call.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when its id or short id is taken; nothing is stored then. Undecided after
    /// [`StoreError::Unavailable`] and [`StoreError::Moved`]; a repeated call returns [`StoreError::AlreadyExists`] if
    /// the first one was done.
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError>;

    /// Returns the upload with this id or short id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, and [`StoreError::Gone`] when it was deleted or has expired, here
    /// and in all calls that are about an upload.
    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError>;

    /// Deletes an upload, if `by` has its owner's secret or is an admin. From then on it is gone for every call. Its
    /// log and its images are removed later: it is among the [`Store::removals`].
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for another secret or none. Undecided after [`StoreError::Unavailable`] and
    /// [`StoreError::Moved`]; a repeated call returns [`StoreError::Gone`] if the first one was done.
    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Returns the short ids of the newest uploads, at most `limit`, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`].
    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError>;

    /// Returns how many bytes the images of all uploads have together. Those of an upload that is gone count until its
    /// removal is finished. It reads all uploads.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`].
    async fn stored_bytes(&self) -> Result<u64, StoreError>;

    /// Returns whether a short id is in use; that of an upload that is gone is not. Used to find blobs that no upload
    /// refers to.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`]; then it is not known whether it is in use.
    async fn has_short_id(&self, short_id: ShortId) -> Result<bool, StoreError> {
        match self.upload(UploadRef::Short(short_id)).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound | StoreError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns which of these short ids (at most [`MAX_SHORT_IDS`]) are not in use, in the same order, as
    /// [`Store::has_short_id`] says. A backend asks for all at once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`]; then it is not known which are in use.
    async fn unused_short_ids(&self, short_ids: Vec<ShortId>) -> Result<Vec<ShortId>, StoreError> {
        let mut unused = Vec::new();
        for short_id in short_ids {
            if !self.has_short_id(short_id).await? {
                unused.push(short_id);
            }
        }
        Ok(unused)
    }

    // Logs

    /// Appends drafts (at most [`MAX_APPEND`]) to the upload's log. On success each draft is durable, as a new
    /// message or as the earlier one with its `clientMessageID`; the results are in the drafts' order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such upload; nothing is stored then. Undecided after
    /// [`StoreError::Unavailable`] and [`StoreError::Moved`]: the first drafts, all or none of them may be stored, or
    /// may be later, without holes in any case. Repeating the call is safe: what was stored is returned as
    /// [`Appended::Known`], and the rest is stored.
    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError>;

    /// Returns a page of the log together with its head, both as of the same moment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such upload.
    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError>;

    /// Deletes a message, if `by` has its author's secret or that of the upload's owner, or is an admin: what it says
    /// is removed, and an entry that says so is appended. On success both are durable.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such upload or message, also when the message with the number has
    /// another id; [`StoreError::Forbidden`] for another secret or none, also when the message was deleted before.
    /// Undecided after [`StoreError::Unavailable`] and [`StoreError::Moved`]: the message may be deleted, or may be
    /// later, and what it says may be removed before the entry is there, which follows in any case. Repeating the call
    /// is safe.
    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError>;

    /// Finishes deletions of messages that were begun by calls which have ended long ago without finishing them, at
    /// most `limit`, and returns their entries. Those may have been published before, or not. A backend that deletes a
    /// message in one step has none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`]; some may be finished then. Repeating the call is safe.
    async fn finish_deletions(&self, _limit: usize) -> Result<Vec<Deletion>, StoreError> {
        Ok(Vec::new())
    }

    // What is left of uploads that are gone

    /// Returns uploads that were deleted, or have expired [`REMOVAL_MARGIN`] ago, and whose removal is not finished, at
    /// most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`].
    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError>;

    /// Removes entries of the log of an upload that is gone, at most `limit`, and returns how many that were.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such upload or it is not gone; nothing is removed then. Undecided
    /// after [`StoreError::Unavailable`] and [`StoreError::Moved`]; repeating the call is safe.
    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError>;

    /// Records that nothing is left of an upload that is gone: it is not among the [`Store::removals`] any more. Its
    /// reports are removed.
    ///
    /// # Errors
    /// As [`Store::remove_log`].
    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError>;

    // The database

    /// Checks that the backend can read and write.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Moved`] when it cannot.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Returns the id of the blobs that belong to this store; `None` if it has not been given one yet. Each call reads
    /// it from the database again: one that was replaced meanwhile returns its own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] also when the stored id is invalid.
    async fn pairing(&self) -> Result<Option<PairingId>, StoreError>;

    /// Gives the store this id unless it has one, and returns the one that it has then. Concurrent calls, through any
    /// nodes, all return the same id.
    ///
    /// # Errors
    /// Undecided after [`StoreError::Unavailable`] and [`StoreError::Moved`]; a repeated call returns the id that was
    /// stored, if one was.
    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError>;
}
