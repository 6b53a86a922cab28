use app::model::{MessageId, Seq, UploadId};
use mongodb::bson::DateTime;
use mongodb::bson::oid::ObjectId;
use serde::{Deserialize, Serialize};

use super::stored::{Malformed, Stored, date, moment, number, object_id, seq};
use crate::store::DeletionDraft;

/// The deletion of a message that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::mongo) struct PendingDeletion {
    /// The message.
    pub message: MessageId,
    /// Its upload.
    pub upload: UploadId,
    /// Its number.
    pub deletes: Seq,
    /// The id and the time of the entry.
    pub draft: DeletionDraft,
}

/// A document of the collection `deletions`: the deletion of a message that was begun and is not known to be finished.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store::mongo) struct StoredDeletion {
    /// The message's id: there is at most one for each message.
    #[serde(rename = "_id")]
    message_id: ObjectId,
    #[serde(rename = "uploadID")]
    upload_id: ObjectId,
    /// The number of the message.
    deletes: i64,
    /// The id of the entry.
    #[serde(rename = "entryID")]
    entry_id: ObjectId,
    created_at: DateTime,
}

impl Stored for StoredDeletion {
    type Model = PendingDeletion;
    const COLLECTION: &'static str = "deletions";
}

impl From<&PendingDeletion> for StoredDeletion {
    fn from(deletion: &PendingDeletion) -> Self {
        Self {
            message_id: ObjectId::from_bytes(*deletion.message.as_bytes()),
            upload_id: object_id(deletion.upload),
            deletes: number(deletion.deletes),
            entry_id: ObjectId::from_bytes(*deletion.draft.id.as_bytes()),
            created_at: date(deletion.draft.created_at),
        }
    }
}

impl TryFrom<StoredDeletion> for PendingDeletion {
    type Error = Malformed;

    fn try_from(stored: StoredDeletion) -> Result<Self, Malformed> {
        let message = MessageId::from_bytes(stored.message_id.bytes());
        let wrong = |field| Malformed {
            collection: StoredDeletion::COLLECTION,
            id: Some(message),
            field: Some(field),
        };
        Ok(Self {
            message,
            upload: UploadId::from_bytes(stored.upload_id.bytes()),
            deletes: seq(stored.deletes).ok_or(wrong("deletes"))?,
            draft: DeletionDraft {
                id: MessageId::from_bytes(stored.entry_id.bytes()),
                created_at: moment(stored.created_at).ok_or(wrong("createdAt"))?,
            },
        })
    }
}
