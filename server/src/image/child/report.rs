//! What the child tells the node.

use app::model::MediaType;
use serde::{Deserialize, Serialize};

use crate::image::error::ImageError;
use crate::image::format_name;
use crate::image::inspect::Inspected;

/// What a child reports, one line each.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The headers are within the limits.
    Surveyed(Surveyed),
    /// The picture is whole, and what may be served of it is written.
    Inspected(Inspected),
    /// The file is not taken.
    Refused(Refusal),
}

/// What a picture's headers say.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(in crate::image) struct Surveyed {
    pub(super) media_type: MediaType,
    /// Bytes of memory that its decoder needs at most.
    pub memory: u64,
}

/// [`ImageError`] as it is written.
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
    fn a_refusal_comes_over_as_it_was() {
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
