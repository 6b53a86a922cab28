//! The names of image formats in messages for people.

use app::model::MediaType;

/// Returns the name of the type's format.
pub(super) fn of(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Png => "PNG",
        MediaType::Jpeg => "JPEG",
        MediaType::Gif => "GIF",
        MediaType::WebP => "WebP",
    }
}
