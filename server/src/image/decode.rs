//! Decodes every frame of an image once, without keeping pixels, to check that the image is complete. GIFs are not
//! decoded.

mod jpeg;
pub(super) mod png;
pub(super) mod seekable;
pub(super) mod timed;
mod webp;

use std::fs::File;

use app::model::MediaType;

use self::timed::TimeBudget;
use super::container_info::{Coding, ContainerInfo};
use super::error::ImageError;

/// Decodes the file to be served, whose container was walked, within the time budget.
pub(super) fn decode(
    file: File,
    media_type: MediaType,
    container: &ContainerInfo,
    budget: TimeBudget,
) -> Result<(), ImageError> {
    let decoded = match (media_type, &container.coding) {
        (MediaType::Jpeg, _) => jpeg::decode(file, budget),
        (MediaType::WebP, Coding::WebP(frames)) => webp::decode(&file, frames, budget),
        (MediaType::Png, _) => png::decode(file, container, budget),
        // The walk has found frames, and browsers show as much of them as they can.
        (MediaType::Gif, _) => budget.check(),
        // The walk of a WebP always sets `Coding::WebP`.
        (MediaType::WebP, _) => Err(ImageError::UnknownType),
    };
    // When the time is over, decoders report a damaged image because their reader fails.
    decoded.or_else(|error| budget.check().and(Err(error)))
}
