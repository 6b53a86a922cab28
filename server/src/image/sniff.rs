//! A file's type by its first bytes. Its name and what the client says of it do not count.

use app::model::MediaType;

/// How many of a file's first bytes tell its type.
pub(super) const PREFIX: usize = 12;

/// The type that a file beginning with these bytes claims to be.
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
