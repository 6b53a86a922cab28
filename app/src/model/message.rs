use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::id::{ClientMessageId, MessageId, UploadId};
use super::point::Point;
use super::seq::Seq;
use super::tag::AuthorTag;
use super::text::{AuthorName, MessageText};
use super::timestamp::Timestamp;

/// A message as everyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Message {
    /// Its own id.
    pub id: MessageId,
    /// The upload it belongs to.
    #[serde(rename = "uploadID")]
    pub upload_id: UploadId,
    /// Its number in the log.
    pub seq: Seq,
    /// Who wrote it.
    pub author_name: AuthorName,
    /// What they wrote: plain text.
    pub content: MessageText,
    /// The id that its client gave it.
    #[serde(rename = "clientMessageID")]
    pub client_message_id: ClientMessageId,
    /// When the node accepted it.
    pub created_at: Timestamp,
    /// Which browser wrote it, if that one has brought a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<AuthorTag>,
    /// Its place on the image, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Point>,
    /// The number of its place: 1, 2, 3 … in the order of the messages that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<u32>, minimum = 1))]
    pub pin: Option<NonZeroU32>,
}

/// What is left of a message that was deleted: it keeps its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DeletedMessage {
    /// The message's id.
    pub id: MessageId,
    /// The upload it belongs to.
    #[serde(rename = "uploadID")]
    pub upload_id: UploadId,
    /// Its number in the log.
    pub seq: Seq,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

impl Message {
    /// What is left of it once it is deleted.
    pub fn deleted(&self, deleted_at: Timestamp) -> DeletedMessage {
        DeletedMessage {
            id: self.id,
            upload_id: self.upload_id,
            seq: self.seq,
            created_at: self.created_at,
            deleted_at,
        }
    }
}

/// A message to be posted. JSON: `{"authorName","content","clientMessageID"}`, and `"at":{"x","y"}` if it has a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewMessage {
    /// Who writes it; `Anonymous` if it is missing.
    #[cfg_attr(feature = "ssr", schema(required = false, nullable))]
    pub author_name: AuthorName,
    /// What they write.
    pub content: MessageText,
    /// The id that its client gives it; posting it again returns the same message.
    #[serde(rename = "clientMessageID")]
    pub client_message_id: ClientMessageId,
    /// Its place on the image, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Point>,
    /// Who writes it: the node derives it from the secret that comes in a header, so it is not in the JSON.
    #[serde(skip)]
    pub author: Option<AuthorTag>,
}
