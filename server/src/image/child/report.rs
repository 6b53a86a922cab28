//! The child's reports to the node.

use app::model::MediaType;
use serde::{Deserialize, Serialize};

use crate::image::error::ImageError;
use crate::image::format_name;
use crate::image::inspect::Inspected;

/// A report, which is one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The headers are within the limits.
    Headers(HeaderInfo),
    /// The image is complete, and the file to be served is written.
    Inspected(Inspected),
    /// The image is not accepted.
    Refused(Refusal),
}

/// The data of the image's headers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(in crate::image) struct HeaderInfo {
    pub(super) media_type: MediaType,
    /// The most memory that decoding needs, in bytes.
    pub memory: u64,
}

/// A serializable [`ImageError`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Refusal {
    UnknownType,
    Damaged(MediaType),
    TooLarge(String),
    Unavailable,
}

impl From<ImageError> for Refusal {
    fn from(error: ImageError) -> Self {
        const TYPES: [MediaType; 4] = [
            MediaType::Png,
            MediaType::Jpeg,
            MediaType::Gif,
            MediaType::WebP,
        ];
        match error {
            ImageError::UnknownType => Self::UnknownType,
            ImageError::Damaged(format) => {
                let named = TYPES.into_iter().find(|of| format_name::of(*of) == format);
                named.map_or(Self::UnknownType, Self::Damaged)
            }
            ImageError::TooLarge(reason) => Self::TooLarge(reason),
            ImageError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Refusal> for ImageError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownType => Self::UnknownType,
            Refusal::Damaged(media_type) => Self::Damaged(format_name::of(media_type)),
            Refusal::TooLarge(reason) => Self::TooLarge(reason),
            Refusal::Unavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_transferred_unchanged() {
        for error in [
            ImageError::UnknownType,
            ImageError::Damaged("GIF"),
            ImageError::TooLarge("too large".to_owned()),
            ImageError::Unavailable,
        ] {
            let line = serde_json::to_string(&Refusal::from(error.clone())).unwrap();
            let read: Refusal = serde_json::from_str(&line).unwrap();
            assert_eq!(ImageError::from(read), error);
        }
    }
}
