use std::num::NonZeroU32;

use app::model::{Message, MessageId, Point, UploadId};
use mongodb::bson::DateTime;
use mongodb::bson::oid::ObjectId;
use serde::{Deserialize, Serialize};

use super::stored::{Malformed, Stored, date, moment, number, object_id, seq};

/// A document of the collection `messages`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store::mongo) struct StoredMessage {
    #[serde(rename = "_id")]
    id: ObjectId,
    #[serde(rename = "uploadID")]
    upload_id: ObjectId,
    seq: i64,
    anon_name: String,
    content: String,
    #[serde(rename = "clientMessageID")]
    client_message_id: String,
    created_at: DateTime,
    modified_at: DateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Point>,
    /// How many messages up to this one have a place. Absent in those of earlier versions, which had none.
    #[serde(default)]
    places: i64,
}

impl Stored for StoredMessage {
    type Model = Message;
    const COLLECTION: &'static str = "messages";
}

impl StoredMessage {
    /// The document of a message, with how many messages up to it have a place.
    pub fn new(message: &Message, places: u32) -> Self {
        Self {
            id: ObjectId::from_bytes(*message.id.as_bytes()),
            upload_id: object_id(message.upload_id),
            seq: number(message.seq),
            anon_name: message.author_name.as_str().to_owned(),
            content: message.content.as_str().to_owned(),
            client_message_id: message.client_message_id.as_str().to_owned(),
            created_at: date(message.created_at),
            modified_at: date(message.created_at),
            author: message.author.map(|author| author.to_string()),
            at: message.at,
            places: places.into(),
        }
    }
}

impl TryFrom<StoredMessage> for Message {
    type Error = Malformed;

    fn try_from(stored: StoredMessage) -> Result<Self, Malformed> {
        let id = MessageId::from_bytes(stored.id.bytes());
        let wrong = |field| Malformed {
            collection: StoredMessage::COLLECTION,
            id: Some(id),
            field: Some(field),
        };
        let places = u32::try_from(stored.places).map_err(|_| wrong("places"))?;
        Ok(Self {
            id,
            upload_id: UploadId::from_bytes(stored.upload_id.bytes()),
            seq: seq(stored.seq).ok_or(wrong("seq"))?,
            author_name: stored.anon_name.parse().map_err(|_| wrong("anonName"))?,
            content: stored.content.parse().map_err(|_| wrong("content"))?,
            client_message_id: stored
                .client_message_id
                .parse()
                .map_err(|_| wrong("clientMessageID"))?,
            created_at: moment(stored.created_at).ok_or(wrong("createdAt"))?,
            author: stored
                .author
                .map(|author| author.parse().map_err(|_| wrong("author")))
                .transpose()?,
            at: stored.at,
            pin: stored.at.and(NonZeroU32::new(places)),
        })
    }
}
