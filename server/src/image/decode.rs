//! Decodes every frame of a picture once, keeping nothing: that proves it to be whole. A GIF need not be.

mod jpeg;
pub(super) mod png;
mod seekable;
pub(super) mod timed;
mod webp;

use std::fs::File;

use app::model::MediaType;

use self::timed::Budget;
use super::error::ImageError;
use super::outline::{Coding, Outline};

/// Decodes the file, which is walked and is what will be served, as long as the budget lasts.
pub(super) fn decode(
    file: File,
    media_type: MediaType,
    outline: &Outline,
    budget: Budget,
) -> Result<(), ImageError> {
    let decoded = match (media_type, &outline.coding) {
        (MediaType::Jpeg, _) => jpeg::decode(file, budget),
        (MediaType::WebP, Coding::WebP(frames)) => webp::decode(&file, frames, budget),
        (MediaType::Png, _) => png::decode(file, outline, budget),
        // Its walk has found frames, which browsers show as far as they can.
        (MediaType::Gif, _) => budget.check(),
        // The walker of a type tells how that type is coded.
        (MediaType::WebP, _) => Err(ImageError::UnknownType),
    };
    // A decoder whose reader fails says that the picture is damaged.
    decoded.or_else(|error| budget.check().and(Err(error)))
}
