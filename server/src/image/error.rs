//! Why a file is not accepted.

use std::io;

use app::model::MediaType;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::format_name;

/// Why a file is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum ImageError {
    /// By its first bytes, it has none of the four types: 415.
    #[error("Only PNG, JPEG, GIF and WebP images can be shared.")]
    UnknownType,
    /// It cannot be decoded, is incomplete, or is invalid in its format: 422.
    #[error("This {} image is damaged or cut short. Try to save it again.", format_name::of(*.0))]
    Damaged(MediaType),
    /// It exceeds the limits, or takes too long to decode: 422.
    #[error("{0}")]
    TooLarge(String),
    /// The node could not read or write its temporary files, or this image waited too long for a decoder: 503.
    #[error("the image could not be processed now")]
    Unavailable,
}

/// Logs an error of a temporary file.
pub(super) fn unavailable(error: &io::Error) -> ImageError {
    tracing::warn!(%error, "an image's temporary file could not be read or written");
    ImageError::Unavailable
}
