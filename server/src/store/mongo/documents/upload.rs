use app::model::{Content, Kind, MediaType, Timestamp, Upload, UploadId};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use super::stored::{Malformed, Stored, binary, date, hash, moment, object_id};
use crate::store::{Removal, SecretHash};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime>,
    /// When it expires, or was deleted, as long as its log and its images are not removed. Absent when that is done, so
    /// that the index has no dates of those that are removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remove_at: Option<DateTime>,
    /// The hash of the owner's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Binary>,
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

impl StoredUpload {
    /// The document of an upload, which belongs to who has the secret of this hash.
    pub fn new(upload: &Upload, owner: Option<SecretHash>) -> Self {
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
            expires_at: upload.expires_at.map(date),
            remove_at: upload.expires_at.map(date),
            owner: owner.map(binary),
        }
    }
}

impl TryFrom<StoredUpload> for Upload {
    type Error = Malformed;

    fn try_from(stored: StoredUpload) -> Result<Self, Malformed> {
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
            expires_at: stored
                .expires_at
                .map(|date| moment(date).ok_or(wrong("expiresAt")))
                .transpose()?,
        })
    }
}

/// Whether an upload is gone, and who may delete it: some fields of its document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store::mongo) struct StoredUploadState {
    #[serde(default)]
    expires_at: Option<DateTime>,
    #[serde(default)]
    deleted_at: Option<DateTime>,
    #[serde(default)]
    owner: Option<Binary>,
}

/// Whether an upload is gone, and who may delete it.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::mongo) struct UploadState {
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// The hash of its owner's secret.
    pub owner: Option<SecretHash>,
}

impl Stored for StoredUploadState {
    type Model = UploadState;
    const COLLECTION: &'static str = StoredUpload::COLLECTION;
}

impl TryFrom<StoredUploadState> for UploadState {
    type Error = Malformed;

    fn try_from(stored: StoredUploadState) -> Result<Self, Malformed> {
        Ok(Self {
            expires_at: stored
                .expires_at
                .map(|date| moment(date).ok_or(wrong("expiresAt")))
                .transpose()?,
            is_deleted: stored.deleted_at.is_some(),
            owner: stored
                .owner
                .map(|owner| hash(&owner).ok_or(wrong("owner")))
                .transpose()?,
        })
    }
}

/// What is needed to remove an upload: some fields of its document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store::mongo) struct StoredRemoval {
    #[serde(rename = "_id")]
    id: ObjectId,
    #[serde(rename = "shortID")]
    short_id: String,
    remove_at: DateTime,
}

impl Stored for StoredRemoval {
    type Model = Removal;
    const COLLECTION: &'static str = StoredUpload::COLLECTION;
}

impl TryFrom<StoredRemoval> for Removal {
    type Error = Malformed;

    fn try_from(stored: StoredRemoval) -> Result<Self, Malformed> {
        Ok(Self {
            upload: UploadId::from_bytes(stored.id.bytes()),
            short_id: stored.short_id.parse().map_err(|_| wrong("shortID"))?,
            since: moment(stored.remove_at).ok_or(wrong("removeAt"))?,
        })
    }
}

/// The sizes of images, added up.
#[derive(Debug, Deserialize)]
pub(in crate::store::mongo) struct StoredSum {
    bytes: i64,
}

impl Stored for StoredSum {
    type Model = u64;
    const COLLECTION: &'static str = StoredUpload::COLLECTION;
}

impl TryFrom<StoredSum> for u64 {
    type Error = Malformed;

    fn try_from(stored: StoredSum) -> Result<Self, Malformed> {
        Ok(stored.bytes.cast_unsigned())
    }
}

fn wrong(field: &'static str) -> Malformed {
    Malformed {
        collection: StoredUpload::COLLECTION,
        id: None,
        field: Some(field),
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
