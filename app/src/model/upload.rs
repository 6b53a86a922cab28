use serde::{Deserialize, Serialize};

use super::id::{ShortId, UploadId};
use super::log::LogPage;
use super::text::MessageText;
use super::timestamp::Timestamp;

/// The name of the cookie that holds the short id of an image just after this browser uploaded it by a plain form.
pub const UPLOADED_COOKIE: &str = "tonesa-uploaded";

/// An uploaded image as everyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
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
    /// When it expires, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// The kind of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Kind {
    /// An image.
    Image,
}

/// An upload's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
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

impl Content {
    /// The widths in pixels that smaller pictures have at most.
    pub const SMALLER_WIDTHS: [u32; 3] = [640, 1280, 2560];
    /// The largest width and height of the image that link previews show.
    pub const PREVIEW_BOX: (u32, u32) = (1200, 630);
    /// A PNG of fewer bytes has no smaller picture of its own width: it arrives within a second on a slow line.
    const HEAVY_PNG: u64 = 200_000;

    /// Returns the widths for which there may be a smaller picture: those that the image is wider than, and for a PNG
    /// that takes many bytes for its pixels, as photos do, the next one too. That one has the image's own width and is
    /// smaller in bytes only.
    pub fn smaller_widths(&self) -> impl Iterator<Item = u32> + use<> {
        let narrower = Self::SMALLER_WIDTHS.iter().filter(|it| **it < self.width);
        let count = match self.media_type {
            MediaType::Gif => 0,
            MediaType::Png if self.is_heavy() => narrower.count() + 1,
            _ => narrower.count(),
        };
        Self::SMALLER_WIDTHS.into_iter().take(count)
    }

    fn is_heavy(&self) -> bool {
        let pixels = u64::from(self.width) * u64::from(self.height);
        self.size >= Self::HEAVY_PNG.max(pixels)
    }
}

/// Returns the size of an image that is made smaller, if necessary, to fit into a box. No side becomes 0.
pub fn fitted_size((width, height): (u32, u32), (max_width, max_height): (u32, u32)) -> (u32, u32) {
    if width <= max_width && height <= max_height {
        return (width, height);
    }
    let scaled = |side: u32, part: u32, whole: u32| {
        let (part, whole) = (u64::from(part), u64::from(whole.max(1)));
        let scaled = (u64::from(side) * part + whole / 2) / whole;
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    };
    let by_width = scaled(height, max_width, width);
    if by_width <= max_height {
        (max_width, by_width)
    } else {
        (scaled(width, max_height, height), max_height)
    }
}

/// The accepted types of image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
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
    /// The newest entries of its log.
    pub page: LogPage,
    /// The text of the first message, by which the page is named.
    pub first: Option<MessageText>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_fitted_into_a_box_and_never_enlarged() {
        for (size, into, fitted) in [
            ((600, 400), (1200, 630), (600, 400)),
            ((4032, 3024), (1200, 630), (840, 630)),
            ((3000, 1000), (1200, 630), (1200, 400)),
            ((1281, 961), (1280, u32::MAX), (1280, 960)),
            ((16_384, 1), (640, u32::MAX), (640, 1)),
            ((1, 16_384), (1200, 630), (1, 630)),
            ((u32::MAX, u32::MAX), (1200, 630), (630, 630)),
        ] {
            assert_eq!(fitted_size(size, into), fitted, "{size:?}");
        }
    }
}
