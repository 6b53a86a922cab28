//! Decodes every frame of a picture once, keeping nothing: that proves it to be whole.

mod jpeg;
mod png;
mod seekable;
mod timed;
mod webp;

use std::fs::File;
use std::io::BufReader;

use app::model::MediaType;

pub(super) use self::png::raw_len;
pub(super) use self::timed::{Budget, Timed};

use self::seekable::Seekable;
use super::ImageError;
use super::outline::{Coding, Outline};

/// Bytes of a GIF's pixels that are decoded at a time.
const STEP: usize = 64 * 1024;

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
        (MediaType::Gif, _) => gif(file, outline, budget),
        // The walker of a type tells how that type is coded.
        (MediaType::WebP, _) => Err(ImageError::UnknownType),
    };
    // A decoder whose reader fails says that the picture is damaged.
    decoded.or_else(|error| budget.check().and(Err(error)))
}

fn damaged(format: &'static str) -> ImageError {
    ImageError::Damaged(format)
}

/// Step by step: pixels of interlaced frames come in another order, but they are the same in number.
fn gif(file: File, outline: &Outline, budget: Budget) -> Result<(), ImageError> {
    let refused = |_| damaged(super::gif::NAME);
    let mut decoder = gif::DecodeOptions::new()
        .read_info(BufReader::new(Timed::new(file, budget)))
        .map_err(refused)?;
    let mut step = vec![0; STEP];
    let mut frames = 0;
    while let Some(frame) = decoder.next_frame_info().map_err(refused)? {
        let mut left = usize::from(frame.width) * usize::from(frame.height);
        while left > 0 {
            budget.check()?;
            let count = left.min(STEP);
            if !decoder.fill_buffer(&mut step[..count]).map_err(refused)? {
                return Err(damaged(super::gif::NAME));
            }
            left -= count;
        }
        frames += 1;
    }
    if frames != outline.frames {
        return Err(damaged(super::gif::NAME));
    }
    Ok(())
}
