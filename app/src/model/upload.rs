use serde::{Deserialize, Serialize};

use super::id::{ShortId, UploadId};
use super::message::MessagePage;
use super::timestamp::Timestamp;

/// An uploaded image as everyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// Its name in links.
    #[serde(rename = "shortID")]
    pub short_id: ShortId,
    /// What was uploaded.
    pub kind: Kind,
    /// The image itself.
    pub content: Content,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

/// What kind of thing an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A picture.
    Image,
}

/// An upload's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Where its bytes are served: `/i/{shortID}`.
    pub url: String,
    /// Its type, as its bytes say.
    pub media_type: MediaType,
    /// Bytes served.
    pub size: u64,
    /// Pixels across, as shown (after the picture's orientation is applied).
    pub width: u32,
    /// Pixels down, as shown (after the picture's orientation is applied).
    pub height: u32,
}

/// The types of picture that Tonesa takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// PNG, animated PNG too.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// GIF, animated too.
    #[serde(rename = "image/gif")]
    Gif,
    /// WebP, animated too.
    #[serde(rename = "image/webp")]
    WebP,
}

impl MediaType {
    /// The type as in a `Content-Type` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }
}

/// What the page of an upload shows first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadPage {
    /// The upload.
    pub upload: Upload,
    /// Its newest messages.
    pub page: MessagePage,
}
