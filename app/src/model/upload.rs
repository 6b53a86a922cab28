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
    /// Its id in links.
    #[serde(rename = "shortID")]
    pub short_id: ShortId,
    /// The kind of upload.
    pub kind: Kind,
    /// The image itself.
    pub content: Content,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

/// The kind of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// An image.
    Image,
}

/// An upload's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Where its bytes are served: `/i/{shortID}`.
    pub url: String,
    /// Its type, detected from its bytes.
    pub media_type: MediaType,
    /// The number of bytes served.
    pub size: u64,
    /// Width in pixels, after the image's orientation is applied.
    pub width: u32,
    /// Height in pixels, after the image's orientation is applied.
    pub height: u32,
}

/// The accepted types of image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// PNG, also animated.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// GIF, also animated.
    #[serde(rename = "image/gif")]
    Gif,
    /// WebP, also animated.
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

/// The first contents of an upload's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadPage {
    /// The upload.
    pub upload: Upload,
    /// Its newest messages.
    pub page: MessagePage,
}
