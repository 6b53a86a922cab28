use serde::{Deserialize, Serialize};

use crate::model::{
    AuthorName, AuthorTag, MessageId, Point, Seq, StrokeId, TabId, UploadRef, Viewer,
};

/// A command that a client sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    content = "data",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ClientCommand {
    /// Follow this upload.
    Watch {
        /// The upload, by either form of its id.
        #[serde(rename = "uploadID")]
        upload_id: UploadRef,
        /// The last sequence number the client has; `null` when it has nothing.
        after: Option<Seq>,
        /// The id of the message with that number, so that the server can tell whether it still has it.
        #[serde(rename = "afterID", skip_serializing_if = "Option::is_none")]
        after_id: Option<MessageId>,
        /// Who watches, for `presence`.
        #[serde(skip_serializing_if = "Option::is_none")]
        viewer: Option<Viewer>,
    },
    /// Stop following it.
    Unwatch {
        /// The upload, by either form of its id.
        #[serde(rename = "uploadID")]
        upload_id: UploadRef,
    },
    /// Touch the image.
    Touch {
        /// The upload, by either form of its id.
        #[serde(rename = "uploadID")]
        upload_id: UploadRef,
        /// The position.
        #[serde(flatten)]
        at: Point,
        /// The secret id of the sending tab.
        #[serde(serialize_with = "TabId::serialize_secret")]
        tab: TabId,
        /// The tag of who touches.
        #[serde(skip_serializing_if = "Option::is_none")]
        author: Option<AuthorTag>,
        /// The alias of who touches.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<AuthorName>,
        /// The line that the touch is a part of.
        #[serde(skip_serializing_if = "Option::is_none")]
        stroke: Option<StrokeId>,
    },
}
