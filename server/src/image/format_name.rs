//! What people are told a picture's format is called.

use app::model::MediaType;

pub(super) const PNG: &str = "PNG";
pub(super) const JPEG: &str = "JPEG";
pub(super) const GIF: &str = "GIF";
pub(super) const WEBP: &str = "WebP";

/// The name of a type's format.
pub(super) fn of(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Png => PNG,
        MediaType::Jpeg => JPEG,
        MediaType::Gif => GIF,
        MediaType::WebP => WEBP,
    }
}
