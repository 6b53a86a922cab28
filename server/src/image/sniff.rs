//! Finds a file's type by its first bytes. Its name and the declared type are ignored.

use app::model::MediaType;

/// How many first bytes are needed.
pub(super) const PREFIX: usize = 12;

/// Returns the type of a file that begins with these bytes.
pub(super) fn sniff(prefix: &[u8]) -> Option<MediaType> {
    if prefix.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(MediaType::Png);
    }
    if prefix.starts_with(b"\xff\xd8\xff") {
        return Some(MediaType::Jpeg);
    }
    if prefix.starts_with(b"GIF87a") || prefix.starts_with(b"GIF89a") {
        return Some(MediaType::Gif);
    }
    if prefix.starts_with(b"RIFF") && prefix.get(8..12) == Some(b"WEBP") {
        return Some(MediaType::WebP);
    }
    None
}
