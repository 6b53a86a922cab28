//! What stands in the database: the article's names where it has them, and ours beside them. Times are BSON dates,
//! which are milliseconds since 1970 in UTC; ids are `ObjectId`s of 96 random bits.

use app::model::{Content, Kind, MediaType, Message, MessageId, Seq, Timestamp, Upload, UploadId};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, RawDocument, deserialize_from_slice};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const IMAGE: &str = "image";

/// A document of the collection `uploads`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredUpload {
    #[serde(rename = "_id")]
    id: ObjectId,
    #[serde(rename = "shortID")]
    short_id: String,
    kind: String,
    content: StoredContent,
    created_at: DateTime,
    modified_at: DateTime,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredContent {
    path: String,
    size: i64,
    media_type: String,
    width: i64,
    height: i64,
}

/// A document of the collection `messages`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredMessage {
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
}

/// A document that is not what this program writes: what is wrong with it, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    /// Which collection it is in.
    pub collection: &'static str,
    /// Its id; of a message only, since whoever knows an upload's id can open it.
    pub id: Option<MessageId>,
    /// The field that holds something wrong; none when fields are missing or of wrong types.
    pub field: Option<&'static str>,
}

/// Something that stands in a collection.
pub(super) trait Stored: DeserializeOwned + TryInto<Self::Model, Error = Malformed> {
    type Model;
    const COLLECTION: &'static str;
}

impl Stored for StoredUpload {
    type Model = Upload;
    const COLLECTION: &'static str = "uploads";
}

impl Stored for StoredMessage {
    type Model = Message;
    const COLLECTION: &'static str = "messages";
}

/// Reads a document.
pub(super) fn read<S: Stored>(document: &RawDocument) -> Result<S::Model, Malformed> {
    // The error's text may quote the document.
    let stored: S = deserialize_from_slice(document.as_bytes()).map_err(|_| Malformed {
        collection: S::COLLECTION,
        id: None,
        field: None,
    })?;
    stored.try_into()
}

impl From<&Upload> for StoredUpload {
    fn from(upload: &Upload) -> Self {
        let Kind::Image = upload.kind;
        let content = &upload.content;
        Self {
            id: object_id(upload.id),
            short_id: upload.short_id.to_string(),
            kind: IMAGE.to_owned(),
            content: StoredContent {
                path: content.url.clone(),
                size: content.size.cast_signed(),
                media_type: content.media_type.as_str().to_owned(),
                width: content.width.into(),
                height: content.height.into(),
            },
            created_at: date(upload.created_at),
            modified_at: date(upload.created_at),
        }
    }
}

impl TryFrom<StoredUpload> for Upload {
    type Error = Malformed;

    fn try_from(stored: StoredUpload) -> Result<Self, Malformed> {
        let wrong = |field| Malformed {
            collection: StoredUpload::COLLECTION,
            id: None,
            field: Some(field),
        };
        let content = stored.content;
        Ok(Self {
            id: UploadId::from_bytes(stored.id.bytes()),
            short_id: stored.short_id.parse().map_err(|_| wrong("shortID"))?,
            kind: kind(&stored.kind).ok_or(wrong("kind"))?,
            content: Content {
                url: content.path,
                media_type: media_type(&content.media_type).ok_or(wrong("content.mediaType"))?,
                size: content.size.cast_unsigned(),
                width: content
                    .width
                    .try_into()
                    .map_err(|_| wrong("content.width"))?,
                height: content
                    .height
                    .try_into()
                    .map_err(|_| wrong("content.height"))?,
            },
            created_at: moment(stored.created_at).ok_or(wrong("createdAt"))?,
        })
    }
}

impl From<&Message> for StoredMessage {
    fn from(message: &Message) -> Self {
        Self {
            id: ObjectId::from_bytes(*message.id.as_bytes()),
            upload_id: object_id(message.upload_id),
            seq: number(message.seq),
            anon_name: message.author_name.as_str().to_owned(),
            content: message.content.as_str().to_owned(),
            client_message_id: message.client_message_id.as_str().to_owned(),
            created_at: date(message.created_at),
            modified_at: date(message.created_at),
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
        })
    }
}

/// An upload's id as it is stored.
pub(super) fn object_id(id: UploadId) -> ObjectId {
    ObjectId::from_bytes(*id.as_bytes())
}

/// A sequence number as it is stored. BSON's integers are signed: a cursor beyond them is beyond every message.
pub(super) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.get()).unwrap_or(i64::MAX)
}

/// A stored sequence number.
pub(super) fn seq(number: i64) -> Option<Seq> {
    u64::try_from(number).ok().map(Seq::new)
}

/// A moment as it is stored.
pub(super) fn date(moment: Timestamp) -> DateTime {
    DateTime::from_millis(moment.unix_millis())
}

fn moment(date: DateTime) -> Option<Timestamp> {
    Timestamp::from_unix_millis(date.timestamp_millis())
}

fn kind(text: &str) -> Option<Kind> {
    (text == IMAGE).then_some(Kind::Image)
}

fn media_type(text: &str) -> Option<MediaType> {
    let known = [
        MediaType::Png,
        MediaType::Jpeg,
        MediaType::Gif,
        MediaType::WebP,
    ];
    known.into_iter().find(|known| known.as_str() == text)
}
