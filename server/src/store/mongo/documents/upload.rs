use app::model::{Content, Kind, MediaType, Upload, UploadId};
use mongodb::bson::DateTime;
use mongodb::bson::oid::ObjectId;
use serde::{Deserialize, Serialize};

use super::stored::{Malformed, Stored, date, moment, object_id};

const IMAGE: &str = "image";

/// A document of the collection `uploads`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store::mongo) struct StoredUpload {
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

impl Stored for StoredUpload {
    type Model = Upload;
    const COLLECTION: &'static str = "uploads";
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
            expires_at: None,
        })
    }
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
