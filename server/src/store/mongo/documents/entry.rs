use std::num::NonZeroU32;

use app::model::{
    DeletedMessage, Deletion, LogEntry, Message, MessageId, Point, Seq, Timestamp, UploadId,
};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use super::stored::{Malformed, Stored, binary, date, hash, moment, number, object_id, seq};
use crate::store::SecretHash;

/// A document of the collection `messages`, which holds the entries of logs. A deletion has `deletes`, and a message
/// that was deleted `deletedAt`; neither has what is optional here otherwise.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store::mongo) struct StoredEntry {
    #[serde(rename = "_id")]
    id: ObjectId,
    #[serde(rename = "uploadID")]
    upload_id: ObjectId,
    seq: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anon_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// Of a deletion, as [`client_id_of_deletion`] says.
    #[serde(rename = "clientMessageID")]
    client_message_id: String,
    created_at: DateTime,
    modified_at: DateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Point>,
    /// How many messages up to this entry have or had a place. Absent in those of earlier versions, which had none.
    #[serde(default)]
    places: i64,
    /// The hash of the secret of a message's author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Binary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime>,
    /// The number of the message that this entry deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deletes: Option<i64>,
}

impl Stored for StoredEntry {
    type Model = LogEntry;
    const COLLECTION: &'static str = "messages";
}

/// What a deletion has instead of a client's id. No client's id contains a colon, and the index allows each once in a
/// log: so there is one deletion of each message, however often and through however many nodes it is deleted.
pub(in crate::store::mongo) fn client_id_of_deletion(deletes: Seq) -> String {
    format!("deletes:{deletes}")
}

impl StoredEntry {
    /// The document of a message, with how many messages up to it have a place, and who may delete it.
    pub fn of_message(message: &Message, places: u32, owner: Option<SecretHash>) -> Self {
        Self {
            id: ObjectId::from_bytes(*message.id.as_bytes()),
            upload_id: object_id(message.upload_id),
            seq: number(message.seq),
            anon_name: Some(message.author_name.as_str().to_owned()),
            content: Some(message.content.as_str().to_owned()),
            client_message_id: message.client_message_id.as_str().to_owned(),
            created_at: date(message.created_at),
            modified_at: date(message.created_at),
            author: message.author.map(|author| author.to_string()),
            at: message.at,
            places: places.into(),
            owner: owner.map(binary),
            deleted_at: None,
            deletes: None,
        }
    }

    /// The document of a deletion, with how many messages before it have or had a place.
    pub fn of_deletion(deletion: &Deletion, places: u32) -> Self {
        Self {
            id: ObjectId::from_bytes(*deletion.id.as_bytes()),
            upload_id: object_id(deletion.upload_id),
            seq: number(deletion.seq),
            anon_name: None,
            content: None,
            client_message_id: client_id_of_deletion(deletion.deletes),
            created_at: date(deletion.created_at),
            modified_at: date(deletion.created_at),
            author: None,
            at: None,
            places: places.into(),
            owner: None,
            deleted_at: None,
            deletes: Some(number(deletion.deletes)),
        }
    }

    fn malformed(&self, field: &'static str) -> Malformed {
        Malformed {
            collection: Self::COLLECTION,
            id: Some(MessageId::from_bytes(self.id.bytes())),
            field: Some(field),
        }
    }

    fn seq(&self) -> Result<Seq, Malformed> {
        seq(self.seq).ok_or_else(|| self.malformed("seq"))
    }

    fn created_at(&self) -> Result<Timestamp, Malformed> {
        moment(self.created_at).ok_or_else(|| self.malformed("createdAt"))
    }

    fn deletion(&self, deletes: i64) -> Result<Deletion, Malformed> {
        Ok(Deletion {
            id: MessageId::from_bytes(self.id.bytes()),
            upload_id: UploadId::from_bytes(self.upload_id.bytes()),
            seq: self.seq()?,
            deletes: seq(deletes).ok_or_else(|| self.malformed("deletes"))?,
            created_at: self.created_at()?,
        })
    }

    fn deleted_message(&self, deleted_at: DateTime) -> Result<DeletedMessage, Malformed> {
        Ok(DeletedMessage {
            id: MessageId::from_bytes(self.id.bytes()),
            upload_id: UploadId::from_bytes(self.upload_id.bytes()),
            seq: self.seq()?,
            created_at: self.created_at()?,
            deleted_at: moment(deleted_at).ok_or_else(|| self.malformed("deletedAt"))?,
        })
    }

    fn message(&self) -> Result<Message, Malformed> {
        let wrong = |field| self.malformed(field);
        let places = u32::try_from(self.places).map_err(|_| wrong("places"))?;
        let text = |text: &Option<String>, field| text.clone().ok_or_else(|| wrong(field));
        Ok(Message {
            id: MessageId::from_bytes(self.id.bytes()),
            upload_id: UploadId::from_bytes(self.upload_id.bytes()),
            seq: self.seq()?,
            author_name: text(&self.anon_name, "anonName")?
                .parse()
                .map_err(|_| wrong("anonName"))?,
            content: text(&self.content, "content")?
                .parse()
                .map_err(|_| wrong("content"))?,
            client_message_id: self
                .client_message_id
                .parse()
                .map_err(|_| wrong("clientMessageID"))?,
            created_at: self.created_at()?,
            author: self
                .author
                .as_ref()
                .map(|author| author.parse().map_err(|_| wrong("author")))
                .transpose()?,
            at: self.at,
            pin: self.at.and(NonZeroU32::new(places)),
        })
    }
}

impl TryFrom<StoredEntry> for LogEntry {
    type Error = Malformed;

    fn try_from(stored: StoredEntry) -> Result<Self, Malformed> {
        Ok(match (stored.deletes, stored.deleted_at) {
            (Some(deletes), _) => Self::Deletion(stored.deletion(deletes)?),
            (None, Some(deleted_at)) => Self::DeletedMessage(stored.deleted_message(deleted_at)?),
            (None, None) => Self::Message(stored.message()?),
        })
    }
}

/// An entry that is looked up by its client id.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(in crate::store::mongo) struct StoredKnownEntry(StoredEntry);

/// An entry and its client id, which one that was deleted does not tell.
#[derive(Debug)]
pub(in crate::store::mongo) struct KnownEntry {
    /// The client id; of a deletion, as [`client_id_of_deletion`] says.
    pub client_id: String,
    /// The entry.
    pub entry: LogEntry,
}

impl Stored for StoredKnownEntry {
    type Model = KnownEntry;
    const COLLECTION: &'static str = StoredEntry::COLLECTION;
}

impl TryFrom<StoredKnownEntry> for KnownEntry {
    type Error = Malformed;

    fn try_from(StoredKnownEntry(stored): StoredKnownEntry) -> Result<Self, Malformed> {
        Ok(Self {
            client_id: stored.client_message_id.clone(),
            entry: stored.try_into()?,
        })
    }
}

/// Who may delete a message, and whether somebody has: some fields of its document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store::mongo) struct StoredMessageState {
    #[serde(rename = "_id")]
    id: ObjectId,
    #[serde(default)]
    owner: Option<Binary>,
    #[serde(default)]
    deleted_at: Option<DateTime>,
}

/// Who may delete a message, and whether somebody has.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::mongo) struct MessageState {
    /// The message's id.
    pub id: MessageId,
    /// The hash of its author's secret.
    pub owner: Option<SecretHash>,
    /// Whether what it said is removed.
    pub is_deleted: bool,
}

impl Stored for StoredMessageState {
    type Model = MessageState;
    const COLLECTION: &'static str = StoredEntry::COLLECTION;
}

impl TryFrom<StoredMessageState> for MessageState {
    type Error = Malformed;

    fn try_from(stored: StoredMessageState) -> Result<Self, Malformed> {
        let id = MessageId::from_bytes(stored.id.bytes());
        let wrong = Malformed {
            collection: StoredEntry::COLLECTION,
            id: Some(id),
            field: Some("owner"),
        };
        Ok(Self {
            id,
            owner: stored
                .owner
                .map(|owner| hash(&owner).ok_or(wrong))
                .transpose()?,
            is_deleted: stored.deleted_at.is_some(),
        })
    }
}
