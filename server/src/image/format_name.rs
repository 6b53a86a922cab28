//! The names of image formats in messages for people.

use app::model::MediaType;

pub(super) const PNG: &str = "PNG";
pub(super) const JPEG: &str = "JPEG";
pub(super) const GIF: &str = "GIF";
pub(super) const WEBP: &str = "WebP";

/// Returns the name of the type's format.
pub(super) fn of(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Png => PNG,
        MediaType::Jpeg => JPEG,
        MediaType::Gif => GIF,
        MediaType::WebP => WEBP,
    }
}
