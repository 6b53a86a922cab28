//! Why a file is not taken.

use std::io;

use thiserror::Error;

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    /// Not one of the four types by its bytes: 415.
    #[error("Only PNG, JPEG, GIF and WebP images can be shared.")]
    UnknownType,
    /// It does not decode, is cut short or breaks its format's rules: 422.
    #[error("This {0} image is damaged or cut short. Try to save it again.")]
    Damaged(&'static str),
    /// Larger than the limits, or too long to decode: 422.
    #[error("{0}")]
    TooLarge(String),
    /// The node could not read or write its temporary files, or too many pictures wait for their turn, or this one for
    /// too long: 503.
    #[error("the image could not be processed now")]
    Unavailable,
}

/// The node could not do its part; the reason is logged.
pub(super) fn unavailable(error: &io::Error) -> ImageError {
    tracing::warn!(%error, "an image's temporary file could not be read or written");
    ImageError::Unavailable
}
